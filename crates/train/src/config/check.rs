//! Values that cannot be: everything is looked at before a device or a file is touched, and all problems are told at once.

use super::{ConfigError, ModelSection, RunConfig};

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
        self.model.check(&mut problems);
        if problems.0.is_empty() { Ok(()) } else { Err(ConfigError::Values(problems.0)) }
    }

    fn check_names(&self, problems: &mut Problems) {
        let (t, o) = (&self.train, &self.optimizer);
        problems.require(self.dtype().is_some(), || {
            format!("train.dtype is `{}`; use float32 or bfloat16", t.dtype)
        });
        problems.require(self.residuals().is_some(), || {
            format!("train.residuals is `{}`; use save-everything, save-dots or recompute", t.residuals)
        });
        problems.require(["cosine", "wsd", "constant"].contains(&o.schedule.as_str()), || {
            format!("optimizer.schedule is `{}`; use cosine, wsd or constant", o.schedule)
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
