//! Values that cannot be: everything is looked at before a device or a file is touched, and all problems are told at once.

use collegium_model::layers::transport::{self, TRANSPORTS};

use super::{ConfigError, ModelSection, RunConfig};
use crate::engine::Execution;

/// Most steps whose batches are made ahead.
pub const MOST_PREFETCHED: usize = 64;

/// The problems found so far.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn require(&mut self, sound: bool, problem: impl FnOnce() -> String) {
        if !sound {
            self.0.push(problem());
        }
    }

    fn at_least(&mut self, least: usize, values: &[(&str, usize)]) {
        for (name, value) in values {
            self.require(*value >= least, || format!("{name} is {value}; it must be at least {least}"));
        }
    }
}

impl RunConfig {
    /// Numbers and names that cannot be, all at once.
    ///
    /// # Errors
    /// Every problem found, one a line.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.check_names(&mut problems);
        self.check_numbers(&mut problems);
        self.check_sharing(&mut problems);
        self.check_balance(&mut problems);
        self.model.check(&mut problems);
        if problems.0.is_empty() { Ok(()) } else { Err(ConfigError::Values(problems.0)) }
    }

    fn check_names(&self, problems: &mut Problems) {
        let (t, o) = (&self.train, &self.optimizer);
        problems.require(self.dtype().is_some(), || {
            format!("train.dtype is `{}`; use float32 or bfloat16", t.dtype)
        });
        problems.require(!t.stochastic_rounding || t.dtype == "bfloat16", || {
            format!(
                "train.stochastic_rounding rounds bfloat16 weights, and train.dtype is `{}`; set train.dtype=bfloat16, or leave it out",
                t.dtype
            )
        });
        problems.require(self.residuals().is_some(), || {
            format!("train.residuals is `{}`; use save-everything, save-dots or recompute", t.residuals)
        });
        problems.require(["cosine", "wsd", "constant"].contains(&o.schedule.as_str()), || {
            format!("optimizer.schedule is `{}`; use cosine, wsd or constant", o.schedule)
        });
    }

    /// How experts are balanced, and what goes together.
    fn check_balance(&self, problems: &mut Problems) {
        let p = &self.parallel;
        if let Err(error) = self.balance() {
            problems.0.push(format!("parallel.balance: {error}"));
        }
        let one_of = |names: &[&str]| names.join(" or ");
        let transports: Vec<&str> = TRANSPORTS.iter().map(|t| t.name()).collect();
        let checks: [(&str, &str, &[&str]); 3] = [
            ("execution", &p.execution, &Execution::ALL.map(|e| e.0)),
            ("transport", &p.transport, &transports),
            ("sent_as", &p.sent_as, &["compute", "bfloat16", "int8"]),
        ];
        for (key, given, names) in checks {
            problems.require(names.contains(&given), || {
                format!("parallel.{key} is `{given}`; use {}", one_of(names))
            });
        }
        let ranks = self.expert_ranks().max(1);
        problems.at_least(1, &[("parallel.relayout_every", p.relayout_every as usize)]);
        problems.require(p.nodes > 0 && ranks.is_multiple_of(p.nodes), || {
            format!("parallel.nodes is {}; it must divide the {ranks} ranks that share the experts", p.nodes)
        });
        problems.require(p.tolerance == -1.0 || (0.0..=10.0).contains(&p.tolerance), || {
            format!(
                "parallel.tolerance is {}; it must be from 0 to 10, or -1 for the cost model's",
                p.tolerance
            )
        });
        let fused = self.execution() == Some(Execution::Fused);
        let on_device = transport::by_name(&p.transport).is_none_or(|t| t.places_on_device());
        problems.require(!fused || on_device, || {
            format!("parallel.transport is {}, which the fused execution lacks; use all-to-all", p.transport)
        });
        let staged = p.transport == "two-stage";
        problems.require(!staged || p.nodes > 1, || {
            format!(
                "parallel.transport is two-stage with parallel.nodes = {}; it is for groups on several nodes: set parallel.nodes, or use all-to-all",
                p.nodes
            )
        });
        let packed = p.platform == "neuron" && p.sent_as == "int8" && p.transport == "all-to-all";
        problems.require(!packed, || {
            "parallel.sent_as is int8 with parallel.transport = all-to-all, but Neuron has no all-to-all of integers; use transport \
             two-stage or all-gather, or sent_as = bfloat16"
                .into()
        });
        problems.require(!fused || self.train.residuals == "save-everything", || {
            format!(
                "train.residuals is `{}`, but a fused program keeps what its compiler wants; set train.residuals=save-everything",
                self.train.residuals
            )
        });
        let tokens = if p.devices == 0 { 0 } else { self.micro_batch() * self.train.seq };
        problems.require(!p.shuffle || tokens.is_multiple_of(ranks), || {
            format!(
                "parallel.shuffle deals {tokens} tokens a rank out over {ranks} ranks, which must divide them"
            )
        });
    }

    fn check_numbers(&self, problems: &mut Problems) {
        let (o, r, m) = (&self.optimizer, &self.router, &self.model);
        let above_zero = [
            ("optimizer.learning_rate", o.learning_rate),
            ("optimizer.epsilon", o.epsilon),
            ("optimizer.max_norm", o.max_norm),
            ("model.rope_theta", m.rope_theta),
        ];
        for (name, value) in above_zero {
            problems.require(value.is_finite() && value > 0.0, || {
                format!("{name} is {value}; it must be a finite number above 0")
            });
        }
        let not_negative = [
            ("optimizer.weight_decay", o.weight_decay),
            ("router.aux_loss", r.aux_loss),
            ("router.z_loss", r.z_loss),
            ("router.bias_rate", r.bias_rate),
            ("run.watts", self.run.watts),
        ];
        for (name, value) in not_negative {
            problems.require(value.is_finite() && value >= 0.0, || {
                format!("{name} is {value}; it must be a finite number, 0 or more")
            });
        }
        let shares = [
            ("optimizer.decay_share", o.decay_share),
            ("optimizer.beta1", o.beta1),
            ("optimizer.beta2", o.beta2),
            ("data.validation", self.data.validation),
        ];
        for (name, value) in shares {
            problems.require((0.0..1.0).contains(&value), || {
                format!("{name} is {value}; it must be at least 0 and below 1")
            });
        }
        problems.require((0.0..=1.0).contains(&o.final_share), || {
            format!("optimizer.final_share is {}; it must be from 0 to 1", o.final_share)
        });
    }

    /// Steps, and how a step is shared by the devices.
    fn check_sharing(&self, problems: &mut Problems) {
        let (t, p) = (&self.train, &self.parallel);
        problems.at_least(
            1,
            &[
                ("train.steps", t.steps as usize),
                ("parallel.devices", p.devices),
                ("run.keep", self.run.keep),
            ],
        );
        problems.at_least(2, &[("train.seq", t.seq)]);
        let ahead = self.data.prefetch;
        problems.require(ahead <= MOST_PREFETCHED, || {
            format!(
                "data.prefetch is {ahead}; it must be at most {MOST_PREFETCHED}, since the batches of so many steps lie in memory"
            )
        });
        let devices = p.devices.max(1);
        problems.require(t.batch >= devices && t.batch.is_multiple_of(devices), || {
            format!(
                "train.batch is {}; it must be a multiple of the {devices} devices (parallel.devices), and at least that many",
                t.batch
            )
        });
        let each = t.batch / devices;
        problems.require(
            t.micro_batch == 0 || (each.is_multiple_of(t.micro_batch) && t.micro_batch <= each),
            || {
                format!(
                    "train.micro_batch is {}; it must divide the {each} sequences that each device has of train.batch",
                    t.micro_batch
                )
            },
        );
        problems.require(p.expert == 0 || devices.is_multiple_of(p.expert), || {
            format!(
                "parallel.expert is {}; it must divide the {devices} devices (parallel.devices)",
                p.expert
            )
        });
    }
}

impl ModelSection {
    /// The sizes matter only where no `config.json` gives them.
    fn check(&self, problems: &mut Problems) {
        problems.require(self.checkpoint.is_none() || self.config.is_none(), || {
            "model.checkpoint and model.config are both given; a checkpoint has its own config.json, leave one out".into()
        });
        if self.checkpoint.is_some() || self.config.is_some() {
            return;
        }
        problems.at_least(
            1,
            &[
                ("model.hidden_size", self.hidden_size),
                ("model.num_layers", self.num_layers),
                ("model.num_heads", self.num_heads),
                ("model.num_kv_heads", self.num_kv_heads),
                ("model.intermediate", self.intermediate),
            ],
        );
        let (heads, kv_heads) = (self.num_heads, self.num_kv_heads);
        problems.require(kv_heads == 0 || heads.is_multiple_of(kv_heads), || {
            format!(
                "model.num_heads is {heads}; it must be a multiple of model.num_kv_heads ({kv_heads}), for every key-value \
                 head serves equally many query heads"
            )
        });
        problems.require(self.head_dim >= 2 && self.head_dim.is_multiple_of(2), || {
            format!(
                "model.head_dim is {}; it must be even and at least 2, for the rotary embedding turns pairs",
                self.head_dim
            )
        });
        let (experts, top_k) = (self.num_experts, self.top_k);
        problems.require(experts == 0 || (1..=experts).contains(&top_k), || {
            format!("model.top_k is {top_k}; it must be from 1 to model.num_experts ({experts})")
        });
    }
}
