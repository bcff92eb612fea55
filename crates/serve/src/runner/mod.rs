//! The model on its devices: weights, the cache, and programs: for each number of sequences that decode one of the whole model, for each number of
//! pages of prompts one of each part. On several devices, which are called ranks, experts are spread (`spread`), each rank has sequences and a cache of
//! its own, and those who decode go through the parts too.
//!
//! Where the CPU's kernels run, weights are packed for them when they are read, and a page table has one width whatever the sequences are, since
//! the kernels read no page that is not needed. So there are as many programs as sizes of a step, and all can be compiled ahead.

mod compact;
mod compiled;
mod spread;
mod step;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::Mesh;
use collegium_model::config::ModelConfig;
use collegium_model::programs::{PAGE, Packing, Part, StepShape, cache_parts};
use collegium_runtime::{Array, Backend};
use collegium_train::engine::{Compiled, Env, Values};

use crate::scheduler::MOST_GUESSES;
use crate::weights;
use crate::{Budget, ServeError, bytes};
use step::{Turns, longest};

pub(crate) use spread::Spread;
pub use spread::{Balance, Balanced};
pub use step::Unit;

/// Element types of a model that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types {
    /// Of weights, activations and the cache: f32 or bf16; or i8 for int8 weights with a scale for every 32 of an output, with bf16 all else.
    pub weights: DType,
    /// Whether the cache is int8, with a scale for the row of each head.
    pub int8_cache: bool,
}

impl Types {
    /// That of activations.
    pub fn activations(self) -> DType {
        if self.weights == DType::I8 { DType::Bf16 } else { self.weights }
    }
}

impl From<DType> for Types {
    fn from(weights: DType) -> Self {
        Self { weights, int8_cache: false }
    }
}

/// Most devices: a request has a bit for each.
pub const MOST_DEVICES: usize = 64;

/// The model on its devices.
pub struct Runner {
    backend: Arc<dyn Backend>,
    config: ModelConfig,
    mesh: Mesh,
    /// Element type of activations, and of the cache where it is not int8.
    dtype: DType,
    int8_cache: bool,
    packing: Packing,
    weights: HashMap<String, Array>,
    /// Where experts are, on several ranks.
    spread: Option<Spread>,
    caches: HashMap<String, Array>,
    programs: HashMap<(StepShape, Part), Arc<Compiled>>,
    /// Bytes of weights that a step reads, by its rows.
    step_weight_bytes: Vec<u64>,
    cache_pages: usize,
    context: usize,
    budget: Option<Budget>,
    turns: Turns,
}

impl Runner {
    /// Puts a model on the devices, each with a cache of `cache_pages`, for sequences of `context` tokens. `value` gives every parameter by its checkpoint
    /// name.
    ///
    /// # Errors
    /// More devices than experts, values that cannot be had, or what the device says.
    pub fn new(
        backend: Arc<dyn Backend>,
        config: ModelConfig,
        types: impl Into<Types>,
        room: (usize, usize),
        value: &mut Values<'_>,
    ) -> Result<Self, ServeError> {
        Self::with_balance(backend, config, types, Balance::default(), room, value)
    }

    /// The same with a say in where rows of experts go on several devices.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_balance(
        backend: Arc<dyn Backend>,
        config: ModelConfig,
        types: impl Into<Types>,
        balance: Balance,
        (cache_pages, context): (usize, usize),
        value: &mut Values<'_>,
    ) -> Result<Self, ServeError> {
        let devices = backend.num_devices();
        let sparse = config.layers.iter().filter_map(|layer| layer.feed_forward.moe());
        if let Some(experts) = sparse.map(|moe| moe.num_experts).find(|&experts| experts < devices) {
            return Err(ServeError::Experts { experts, devices });
        }
        if devices > MOST_DEVICES {
            let required = format!("at most {MOST_DEVICES}");
            return Err(ServeError::Limit { name: "devices", given: devices, required });
        }
        let types: Types = types.into();
        let weight_bytes = |rows| bytes::weight_bytes_of_step(&config, types.weights, rows) as u64;
        // Every rank reads what is not an expert's.
        let others = (devices as u64 - 1) * weight_bytes(0);
        let step_weight_bytes =
            (0..=devices * (MOST_GUESSES + 1)).map(|rows| others + weight_bytes(rows)).collect();
        let packing = match types.weights {
            DType::I8 => Packing::Int8,
            _ if backend.has_cpu_kernels() => Packing::Packed,
            _ => Packing::Natural,
        };
        let dtype = types.activations();
        let mesh = collegium_train::setup::mesh(devices, devices, 1);
        let block = if packing == Packing::Natural { backend.block_rows() } else { 1 };
        let spread = match devices {
            1 => None,
            _ => Some(Spread::new(&*backend, &mesh, &config, (balance, block))?),
        };
        let weights = weights::load(&*backend, &config, (dtype, packing), spread.as_ref(), value)?;
        let frequencies = config.rope.inv_frequencies(config.head_dim);
        let table = |turn: fn(f64) -> f64| -> Vec<f32> {
            let positions = 0..context.next_multiple_of(PAGE);
            positions.flat_map(|p| frequencies.iter().map(move |f| turn(p as f64 * f) as f32)).collect()
        };
        let mut runner = Self {
            turns: Turns { cos: table(f64::cos), sin: table(f64::sin), half: config.head_dim / 2 },
            mesh,
            spread,
            caches: HashMap::new(),
            programs: HashMap::new(),
            step_weight_bytes,
            backend,
            config,
            dtype,
            int8_cache: types.int8_cache,
            packing,
            weights,
            cache_pages,
            context,
            budget: None,
        };
        runner.clear()?;
        Ok(runner)
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Devices.
    pub fn ranks(&self) -> usize {
        self.backend.num_devices()
    }

    /// What the balancer did so far; nothing on a lone device.
    pub fn balanced(&self) -> Balanced {
        self.spread.as_ref().map(|spread| spread.balanced).unwrap_or_default()
    }

    /// An empty cache in place of what there is.
    ///
    /// # Errors
    /// What the device says.
    pub fn clear(&mut self) -> Result<(), ServeError> {
        let parts = cache_parts(&self.config, &self.shape((0, 1), 1), self.dtype);
        self.caches.clear();
        for layer in 0..self.config.num_layers {
            for (part, dtype, dims) in &parts {
                let sizes: Vec<usize> = dims.iter().map(|dim| dim.size).collect();
                let zeros = self.backend.replicate(&HostTensor::zeros(*dtype, &sizes))?;
                self.caches.insert(format!("layers.{layer}.cache.{part}"), zeros);
            }
        }
        Ok(())
    }

    /// Bytes of a page in all layers.
    pub fn page_bytes(&self) -> usize {
        PAGE * bytes::cache_bytes_per_token(
            &self.config,
            Types { weights: self.dtype, int8_cache: self.int8_cache },
        )
    }

    /// Bytes that a step of so many rows and nothing else reads, whose sequences have `pages` together.
    pub fn bytes_of_decode(&self, rows: usize, pages: usize) -> u64 {
        self.step_weight_bytes[rows] + (pages * self.page_bytes()) as u64
    }

    /// Takes the next token of sequences that decode through the model, with room for `room` on each rank: the logits behind every one, row-major
    /// {row, vocab}. Rows of a rank stand together, in the order of ranks.
    ///
    /// # Errors
    /// What the device says; the cache is lost then.
    pub fn decode(&mut self, rows: &[Unit<'_>], room: usize) -> Result<Vec<f32>, ServeError> {
        let mut pass = self.pass(self.shape((room, 0), longest(rows)), rows)?;
        if self.spread.is_none() {
            let logits = self.call(pass.shape, Part::Whole, &pass.inputs)?.take("logits");
            return self.of_units(&logits, &pass);
        }
        self.embed(&mut pass)?;
        while !pass.is_through() {
            self.layer(&mut pass)?;
        }
        self.logits(&pass)
    }

    /// Embeds pages of prompts, with room for `room` on each rank. Those of a rank stand together, in the order of ranks.
    ///
    /// # Errors
    /// What the device says.
    pub fn begin(&mut self, chunks: &[Unit<'_>], room: usize) -> Result<Pass, ServeError> {
        let mut pass = self.pass(self.shape((0, room), longest(chunks)), chunks)?;
        self.embed(&mut pass)?;
        Ok(pass)
    }

    /// Takes prompts through their next layer, and waits for it.
    ///
    /// # Errors
    /// What the device says; the cache is lost then.
    pub fn advance(&mut self, pass: &mut Pass) -> Result<(), ServeError> {
        self.layer(pass)?;
        Ok(pass.inputs.get("hidden").expect("a layer gave it").wait()?)
    }

    fn pass(&self, shape: StepShape, units: &[Unit<'_>]) -> Result<Pass, ServeError> {
        let inputs = step::inputs(&*self.backend, shape, units, &self.turns)?;
        let of_rank = |rank| units.iter().filter(move |unit| unit.rank == rank);
        let units = (0..self.ranks()).map(|rank| of_rank(rank).count()).collect::<Vec<_>>();
        let tokens =
            (0..self.ranks()).map(|rank| of_rank(rank).map(|unit| unit.tokens.len()).sum()).collect();
        Ok(Pass { shape, inputs, units, tokens, layer: 0, layers: self.config.num_layers })
    }

    fn embed(&mut self, pass: &mut Pass) -> Result<(), ServeError> {
        let hidden = self.call(pass.shape, Part::Embedding, &pass.inputs)?.take("hidden_out");
        pass.put_hidden(hidden);
        Ok(())
    }

    /// Takes a pass through its next layer.
    fn layer(&mut self, pass: &mut Pass) -> Result<(), ServeError> {
        let moe = self.config.layers[pass.layer].feed_forward.moe().cloned();
        let hidden = match moe.filter(|_| self.spread.is_some()) {
            Some(moe) => self.spread_layer(pass, &moe)?,
            None => self.call(pass.shape, Part::Layer(pass.layer), &pass.inputs)?.take("hidden_out"),
        };
        pass.put_hidden(hidden);
        pass.layer += 1;
        Ok(())
    }

    /// The logits behind the last token of every unit of a pass through all layers, row-major {unit, vocab}.
    ///
    /// # Errors
    /// What the device says.
    pub fn logits(&mut self, pass: &Pass) -> Result<Vec<f32>, ServeError> {
        let logits = self.call(pass.shape, Part::Head, &pass.inputs)?.take("logits");
        self.of_units(&logits, pass)
    }

    /// What ranks give for their units, one rank after another, without those that nobody asked for.
    fn of_units(&self, logits: &Array, pass: &Pass) -> Result<Vec<f32>, ServeError> {
        let mut all = Vec::new();
        for (piece, &units) in logits.pieces.iter().zip(&pass.units).filter(|(_, units)| **units > 0) {
            let own = piece.download()?.to_vec::<f32>();
            all.extend_from_slice(&own[..units * self.config.vocab_size]);
        }
        Ok(all)
    }

    /// Runs the program of a part: its results but for the caches, which are kept.
    fn call(&mut self, shape: StepShape, part: Part, inputs: &Env) -> Result<Env, ServeError> {
        let program = self.program(shape, part)?;
        let prefix = part.layer().map_or(String::new(), |layer| format!("layers.{layer}."));
        let Self { caches, weights, backend, .. } = self;
        let only_reads = matches!(part, Part::Scores(..));
        let mut cache = |own: &str| if only_reads { caches.get(own).cloned() } else { caches.remove(own) };
        let mut out = program.call(&**backend, |name| {
            let own = if prefix.is_empty() { name.into() } else { Cow::from(format!("{prefix}{name}")) };
            inputs.get(name).cloned().or_else(|| weights.get(&*own).cloned()).or_else(|| cache(&own))
        })?;
        let written: Vec<String> =
            out.iter().filter(|(name, _)| name.contains("cache.")).map(|(name, _)| name.into()).collect();
        for name in written {
            let kept = format!("{prefix}{}", name.trim_end_matches("_out"));
            caches.insert(kept, out.take(&name));
        }
        Ok(out)
    }

    /// The logits behind every token of one page of the `hidden` states of a pass through all layers, row-major {token, vocab}. [`logits`](Self::logits) gives
    /// those of the last one alone, since nobody else needs them; here a program of its own takes the head over what the last layer gave, so it costs only those who ask.
    ///
    /// # Errors
    /// What the device says.
    ///
    /// # Panics
    /// For a page that the pass does not have.
    pub fn page_logits(&mut self, hidden: &HostTensor, page: usize) -> Result<Vec<f32>, ServeError> {
        let size = hidden.bytes().len() / hidden.sizes()[0] * PAGE;
        let own = hidden.bytes()[page * size..][..size].to_vec();
        let own = HostTensor::from_bytes(self.dtype, &[PAGE, self.config.hidden_size], own);
        let own = self.backend.replicate(&own.expect("rows of the pass's hidden states"))?;
        let inputs = Env::default().with("hidden", own);
        let mut out = self.call(self.shape((0, 1), 1), Part::HeadOfAll, &inputs)?;
        Ok(out.take("logits").first()?.to_vec::<f32>())
    }
}

/// Units on their way through the layers.
pub struct Pass {
    shape: StepShape,
    /// What programs read beside weights and caches; `hidden` is that before the next layer.
    inputs: Env,
    /// By rank.
    units: Vec<usize>,
    /// By rank: those that somebody asked for.
    tokens: Vec<usize>,
    /// The next one.
    layer: usize,
    /// How many there are.
    layers: usize,
}

impl Pass {
    /// Hidden states {token, hidden} of every rank before the next layer.
    ///
    /// # Errors
    /// What the device says.
    pub fn hidden(&self) -> Result<Vec<HostTensor>, ServeError> {
        Ok(self.inputs.get("hidden").expect("the embedding gave it").download()?)
    }

    /// Whether it is through all layers.
    pub fn is_through(&self) -> bool {
        self.layer == self.layers
    }

    fn put_hidden(&mut self, hidden: Array) {
        self.inputs = std::mem::take(&mut self.inputs).with("hidden", hidden);
    }
}
