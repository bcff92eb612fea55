//! The model on its device: weights, the cache, and programs: for each number of sequences that decode one of the whole model, for each number of
//! pages of prompts one of each part.
//!
//! Where the CPU's kernels run, weights are packed for them when they are read, and a page table has one width whatever the sequences are, since
//! the kernels read no page that is not needed. So there are as many programs as sizes of a step, and all can be compiled ahead.

use std::collections::HashMap;
use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::ModelConfig;
use collegium_model::programs::{self, Exchange, PAGE, Packing, Part, StepShape, cache_parts};
use collegium_runtime::{Array, Backend};
use collegium_train::engine::{Compiled, Values, compile_all};

use crate::pages::PageId;
use crate::scheduler::{CHUNKS, MOST_GUESSES, ROWS};
use crate::weights;
use crate::{ServeError, bytes};

/// One token of a sequence, or a page of them.
pub struct Unit<'a> {
    /// One token of a row, up to [`PAGE`] of a chunk.
    pub tokens: &'a [u32],
    /// Place of the first in its sequence.
    pub position: usize,
    /// Pages of the sequence, at least up to the one that is written.
    pub pages: &'a [PageId],
}

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

/// The model on its device.
pub struct Runner {
    backend: Arc<dyn Backend>,
    config: ModelConfig,
    mesh: Mesh,
    /// Element type of activations, and of the cache where it is not int8.
    dtype: DType,
    int8_cache: bool,
    packing: Packing,
    weights: HashMap<String, Array>,
    caches: HashMap<String, Array>,
    programs: HashMap<(StepShape, Part), Arc<Compiled>>,
    /// Bytes of weights that a step reads, by its rows.
    step_weight_bytes: Vec<u64>,
    cache_pages: usize,
    context: usize,
    /// {position, half}, row-major.
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Runner {
    /// Puts a model on the device, with a cache of `cache_pages` and for sequences of `context` tokens. `value` gives every parameter by its
    /// checkpoint name.
    ///
    /// # Errors
    /// Several devices, values that cannot be had, or what the device says.
    pub fn new(
        backend: Arc<dyn Backend>,
        config: ModelConfig,
        types: impl Into<Types>,
        (cache_pages, context): (usize, usize),
        value: &mut Values<'_>,
    ) -> Result<Self, ServeError> {
        let devices = backend.num_devices();
        if devices != 1 {
            return Err(ServeError::Devices { devices });
        }
        let types: Types = types.into();
        let weight_bytes = |rows| bytes::weight_bytes_of_step(&config, types.weights, rows) as u64;
        let step_weight_bytes = (0..=MOST_GUESSES + 1).map(weight_bytes).collect();
        let packing = match types.weights {
            DType::I8 => Packing::Int8,
            _ if backend.has_cpu_kernels() => Packing::Packed,
            _ => Packing::Natural,
        };
        let dtype = types.activations();
        let weights = weights::load(&*backend, &config, (dtype, packing), value)?;
        let frequencies = config.rope.inv_frequencies(config.head_dim);
        let table = |turn: fn(f64) -> f64| -> Vec<f32> {
            let positions = 0..context.next_multiple_of(PAGE);
            positions.flat_map(|p| frequencies.iter().map(move |f| turn(p as f64 * f) as f32)).collect()
        };
        let mut runner = Self {
            cos: table(f64::cos),
            sin: table(f64::sin),
            mesh: collegium_train::setup::mesh(1, 1, 1),
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
        };
        runner.clear()?;
        Ok(runner)
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
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

    /// Takes the next token of sequences that decode through the model, with room for `room`: the logits behind every one, row-major {row, vocab}.
    ///
    /// # Errors
    /// What the device says; the cache is lost then.
    pub fn decode(&mut self, rows: &[Unit<'_>], room: usize) -> Result<Vec<f32>, ServeError> {
        let shape = self.shape((room, 0), longest(rows));
        let inputs = self.inputs(shape, rows, &[])?;
        Ok(self.call(shape, Part::Whole, &inputs)?.first()?.to_vec::<f32>())
    }

    /// Embeds pages of prompts, with room for `room`.
    ///
    /// # Errors
    /// What the device says.
    pub fn begin(&mut self, chunks: &[Unit<'_>], room: usize) -> Result<Pass, ServeError> {
        let shape = self.shape((0, room), longest(chunks));
        let mut inputs = self.inputs(shape, &[], chunks)?;
        let hidden = self.call(shape, Part::Embedding, &inputs)?;
        inputs.insert("hidden", hidden);
        Ok(Pass { shape, inputs, layer: 0 })
    }

    /// Takes prompts through their next layer, and waits for it; whether it was the last.
    ///
    /// # Errors
    /// What the device says; the cache is lost then.
    pub fn advance(&mut self, pass: &mut Pass) -> Result<bool, ServeError> {
        let hidden = self.call(pass.shape, Part::Layer(pass.layer), &pass.inputs)?;
        hidden.wait()?;
        pass.inputs.insert("hidden", hidden);
        pass.layer += 1;
        Ok(pass.layer == self.config.num_layers)
    }

    /// The logits behind the last token of every chunk of a pass through all layers, row-major {chunk, vocab}.
    ///
    /// # Errors
    /// What the device says.
    pub fn logits(&mut self, pass: &Pass) -> Result<Vec<f32>, ServeError> {
        Ok(self.call(pass.shape, Part::Head, &pass.inputs)?.first()?.to_vec::<f32>())
    }

    /// Runs the program of a part: its logits or hidden states. The caches that it writes are kept.
    fn call(
        &mut self,
        shape: StepShape,
        part: Part,
        inputs: &HashMap<&'static str, Array>,
    ) -> Result<Array, ServeError> {
        let program = self.program(shape, part)?;
        let prefix = match part {
            Part::Layer(index) => format!("layers.{index}."),
            _ => String::new(),
        };
        let Self { caches, weights, backend, .. } = self;
        let mut out = program.call(&**backend, |name| {
            let own = format!("{prefix}{name}");
            inputs.get(name).or_else(|| weights.get(&own)).cloned().or_else(|| caches.remove(&own))
        })?;
        let is_hidden = matches!(part, Part::Embedding | Part::Layer(_));
        let result = out.take(if is_hidden { "hidden_out" } else { "logits" });
        let kept = out.iter().filter_map(|(name, array)| {
            Some((format!("{prefix}{}", name.strip_suffix("_out")?), array.clone()))
        });
        caches.extend(kept.collect::<Vec<_>>());
        Ok(result)
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
        let inputs = HashMap::from([("hidden", own)]);
        Ok(self.call(self.shape((0, 1), 1), Part::HeadOfAll, &inputs)?.first()?.to_vec::<f32>())
    }

    /// A step for sequences of up to `longest` pages. Devices without the CPU's kernels gather all pages of the table, so there its width grows with
    /// the sequences.
    fn shape(&self, (rows, chunks): (usize, usize), longest: usize) -> StepShape {
        let all = self.context.div_ceil(PAGE);
        let pages = if self.backend.has_cpu_kernels() {
            all
        } else {
            longest.next_power_of_two().clamp(4.min(all), all)
        };
        let (cache_pages, block) = (self.cache_pages, self.backend.block_rows());
        StepShape {
            rows,
            chunks,
            pages,
            cache_pages,
            block,
            packing: self.packing,
            int8_cache: self.int8_cache,
        }
    }

    /// Compiles all programs, as many at a time as there are cores; seconds taken. Where page tables grow with sequences, those of the
    /// shortest. Without this, the first step of a size waits for its program.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn compile_ahead(&mut self) -> Result<f64, ServeError> {
        let layers = (0..self.config.num_layers).map(Part::Layer);
        let parts: Vec<Part> = [Part::Embedding, Part::Head].into_iter().chain(layers).collect();
        let rows = ROWS.iter().map(|&rows| ((rows, 0), Part::Whole));
        let chunks = CHUNKS.iter().flat_map(|&chunks| parts.iter().map(move |&part| ((0, chunks), part)));
        for (room, part) in rows.chain(chunks) {
            self.program(self.shape(room, 1), part)?;
        }
        let programs: Vec<_> = self.programs.values().cloned().collect();
        Ok(compile_all(&*self.backend, &programs)?)
    }

    /// The first part with the same program: layers of one kind share theirs.
    fn like(&self, part: Part) -> Part {
        let layers = &self.config.layers;
        match part {
            Part::Layer(index) => {
                Part::Layer(layers.iter().position(|layer| *layer == layers[index]).unwrap_or(index))
            }
            other => other,
        }
    }

    fn program(&mut self, how: StepShape, part: Part) -> Result<Arc<Compiled>, ServeError> {
        let part = self.like(part);
        if let Some(program) = self.programs.get(&(how, part)) {
            return Ok(program.clone());
        }
        let program = Compiled::new(programs::serving(&self.program_shape(how.tokens()), how, part)?);
        self.programs.insert((how, part), program.clone());
        Ok(program)
    }

    fn program_shape(&self, tokens: usize) -> programs::Shape<'_> {
        programs::Shape {
            config: &self.config,
            mesh: self.mesh.clone(),
            dtype: self.dtype,
            batch: 1,
            seq: tokens,
            residuals: Residuals::Recompute,
            exchange: Exchange::default(),
            forced_routing: false,
        }
    }

    fn inputs(
        &self,
        how: StepShape,
        rows: &[Unit<'_>],
        chunks: &[Unit<'_>],
    ) -> Result<HashMap<&'static str, Array>, ServeError> {
        let mut step = Step::default();
        step.add(["row.pages", "row.position", "row.place"], rows, (how.rows, 1), how.pages);
        step.add(["chunk.pages", "chunk.position", "chunk.place"], chunks, (how.chunks, PAGE), how.pages);
        let mut inputs = HashMap::new();
        let tokens = how.tokens();
        let is_natural = self.packing == Packing::Natural;
        if is_natural {
            for (name, tensor) in step.tables {
                inputs.insert(name, self.backend.replicate(&tensor)?);
            }
        } else {
            for (name, values) in
                [("sequence", &step.sequence), ("position", &step.position), ("place", &step.place)]
            {
                inputs.insert(name, self.backend.replicate(&HostTensor::new(&[tokens], values))?);
            }
            let pages = HostTensor::new(&[how.samples(), how.pages], &step.pages);
            inputs.insert("pages", self.backend.replicate(&pages)?);
        }
        inputs.insert("tokens", self.backend.replicate(&HostTensor::new(&[1, tokens], &step.tokens))?);
        inputs.insert("places", self.backend.replicate(&HostTensor::new(&[how.samples()], &step.places))?);
        let half = self.config.head_dim / 2;
        for (name, table) in [("cos", &self.cos), ("sin", &self.sin)] {
            let turned: Vec<f32> =
                step.positions.iter().flat_map(|p| table[p * half..][..half].iter().copied()).collect();
            let sizes = if is_natural { vec![1, tokens, half] } else { vec![tokens, half] };
            let tensor = HostTensor::new(&sizes, &turned);
            inputs.insert(name, self.backend.replicate(&tensor)?);
        }
        Ok(inputs)
    }
}

/// Prompts on their way through the layers.
pub struct Pass {
    shape: StepShape,
    /// What programs read beside weights and caches; `hidden` is that before the next layer.
    inputs: HashMap<&'static str, Array>,
    /// The next one.
    layer: usize,
}

impl Pass {
    /// Hidden states {token, hidden} before the next layer.
    ///
    /// # Errors
    /// What the device says.
    pub fn hidden(&self) -> Result<HostTensor, ServeError> {
        Ok(self.inputs["hidden"].first()?)
    }
}

/// Pages of the longest sequence.
fn longest(units: &[Unit<'_>]) -> usize {
    units.iter().map(|unit| unit.pages.len()).max().unwrap_or(1)
}

/// The numbers of a step.
#[derive(Default)]
struct Step {
    tokens: Vec<i32>,
    positions: Vec<usize>,
    places: Vec<i32>,
    /// By token: its unit, its place in the sequence and in the cache.
    sequence: Vec<i32>,
    position: Vec<i32>,
    place: Vec<i32>,
    /// {unit, page}
    pages: Vec<i32>,
    tables: Vec<(&'static str, HostTensor)>,
}

impl Step {
    /// Adds `units` and as many unused ones as there is room for, `width` tokens each.
    fn add(
        &mut self,
        names: [&'static str; 3],
        units: &[Unit<'_>],
        (room, width): (usize, usize),
        num_pages: usize,
    ) {
        if room == 0 {
            return;
        }
        let (mut table, mut position, mut place) = (Vec::new(), Vec::new(), Vec::new());
        let unused = Unit { tokens: &[0], position: 0, pages: &[0] };
        let mut number = 0;
        for at in 0..room {
            let unit = units.get(at).unwrap_or(&unused);
            let first = self.tokens.len();
            // Tokens of one sequence, whose pages nobody else has, read them together.
            let goes_on = at > 0 && units.get(at).is_some_and(|unit| unit.pages == units[at - 1].pages);
            if !goes_on {
                number = (self.pages.len() / num_pages) as i32;
            }
            self.sequence.extend((0..width).map(|_| number));
            self.position.extend((0..width).map(|i| (unit.position + i) as i32));
            self.places.push((first + unit.tokens.len() - 1) as i32);
            self.tokens.extend((0..width).map(|i| unit.tokens.get(i).copied().unwrap_or(0) as i32));
            self.positions.extend((0..width).map(|i| unit.position + i));
            table.extend((0..num_pages).map(|i| unit.pages.get(i).copied().unwrap_or(0) as i32));
            position.push(unit.position as i32);
            let page = unit.pages[unit.position / PAGE] as usize;
            let start = page * PAGE + unit.position % PAGE;
            place.push(start as i32);
            self.place.extend((0..width).map(|i| (start + i) as i32));
            self.pages.extend(&table[table.len() - num_pages..]);
        }
        self.tables.push((names[0], HostTensor::new(&[room, num_pages], &table)));
        self.tables.push((names[1], HostTensor::new(&[room], &position)));
        self.tables.push((names[2], HostTensor::new(&[room], &place)));
    }
}
