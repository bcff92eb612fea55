//! The model on its device: weights, the cache, and a program for each shape of a step.

use std::collections::HashMap;
use std::sync::Arc;

use collegium_core::{DType, HostTensor};
use collegium_hlo::{Mesh, Residuals};
use collegium_model::config::ModelConfig;
use collegium_model::params::{self, GroupKey, ParamGroup};
use collegium_model::programs::{self, Exchange, PAGE, StepShape};
use collegium_runtime::{Array, Backend};
use collegium_train::TrainError;
use collegium_train::engine::{Compiled, Values, shape_of};

use crate::ServeError;
use crate::pages::PageId;

/// One token of a sequence, or a page of them.
pub struct Unit<'a> {
    /// One token of a row, up to [`PAGE`] of a chunk.
    pub tokens: &'a [u32],
    /// Place of the first in its sequence.
    pub position: usize,
    /// Pages of the sequence, up to the one that is written.
    pub pages: &'a [PageId],
}

/// The model on its device.
pub struct Runner {
    backend: Arc<dyn Backend>,
    config: ModelConfig,
    mesh: Mesh,
    dtype: DType,
    weights: HashMap<String, Array>,
    caches: HashMap<String, Array>,
    programs: HashMap<StepShape, Arc<Compiled>>,
    cache_pages: usize,
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
        dtype: DType,
        (cache_pages, context): (usize, usize),
        value: &mut Values<'_>,
    ) -> Result<Self, ServeError> {
        let devices = backend.num_devices();
        if devices != 1 {
            return Err(ServeError::Devices { devices });
        }
        let mut weights = HashMap::new();
        for group in params::groups(&config) {
            load(&*backend, &group, dtype, value, &mut weights)?;
        }
        if let Some(embed) = weights.get("embed").cloned() {
            weights.entry("lm_head".into()).or_insert(embed);
        }
        for (index, layer) in config.layers.iter().enumerate() {
            if let Some(moe) = layer.feed_forward.moe() {
                let zeros = HostTensor::zeros(DType::F32, &[moe.num_experts]);
                weights.insert(format!("layers.{index}.router_bias"), backend.replicate(&zeros)?);
            }
        }
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
            backend,
            config,
            dtype,
            weights,
            cache_pages,
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
        let c = &self.config;
        let zeros = HostTensor::zeros(self.dtype, &[self.cache_pages * PAGE, c.num_kv_heads, c.head_dim]);
        self.caches.clear();
        for layer in 0..c.num_layers {
            for part in ["keys", "values"] {
                self.caches.insert(format!("layers.{layer}.cache.{part}"), self.backend.replicate(&zeros)?);
            }
        }
        Ok(())
    }

    /// Bytes of a page in all layers.
    pub fn page_bytes(&self) -> usize {
        let c = &self.config;
        2 * c.num_layers * PAGE * c.num_kv_heads * c.head_dim * self.dtype.size_bytes()
    }

    /// Runs a step of at most `rows` and `chunks`: the logits behind the last token of every unit, rows first, row-major {unit, vocab}.
    ///
    /// # Errors
    /// What the device says; the cache is lost then.
    pub fn step(
        &mut self,
        rows: &[Unit<'_>],
        chunks: &[Unit<'_>],
        (row_room, chunk_room): (usize, usize),
    ) -> Result<Vec<f32>, ServeError> {
        let longest = rows.iter().chain(chunks).map(|u| u.pages.len()).max().unwrap_or(1);
        let shape = StepShape {
            rows: row_room,
            chunks: chunk_room,
            pages: longest.next_power_of_two().max(4),
            cache_pages: self.cache_pages,
            block: self.backend.block_rows(),
        };
        let program = self.program(shape)?;
        let inputs = self.inputs(shape, rows, chunks)?;
        let Self { caches, weights, backend, .. } = self;
        let mut out = program.call(&**backend, |name| {
            inputs.get(name).or_else(|| weights.get(name)).cloned().or_else(|| caches.remove(name))
        })?;
        let logits = out.take("logits").first()?.to_vec::<f32>();
        let kept = out.iter().filter_map(|(n, a)| Some((n.strip_suffix("_out")?.to_string(), a.clone())));
        self.caches.extend(kept.collect::<Vec<_>>());
        Ok(logits)
    }

    fn program(&mut self, how: StepShape) -> Result<Arc<Compiled>, ServeError> {
        if let Some(program) = self.programs.get(&how) {
            return Ok(program.clone());
        }
        let shape = programs::Shape {
            config: &self.config,
            mesh: self.mesh.clone(),
            dtype: self.dtype,
            batch: 1,
            seq: how.tokens(),
            residuals: Residuals::Recompute,
            exchange: Exchange::default(),
            forced_routing: false,
        };
        let program = Compiled::new(programs::serving_step(&shape, how)?);
        self.programs.insert(how, program.clone());
        Ok(program)
    }

    fn inputs(
        &self,
        how: StepShape,
        rows: &[Unit<'_>],
        chunks: &[Unit<'_>],
    ) -> Result<HashMap<&'static str, Array>, ServeError> {
        let mut step =
            Step { tokens: Vec::new(), positions: Vec::new(), places: Vec::new(), tables: Vec::new() };
        step.add(["row.pages", "row.position", "row.place"], rows, (how.rows, 1), how.pages);
        step.add(["chunk.pages", "chunk.position", "chunk.place"], chunks, (how.chunks, PAGE), how.pages);
        let mut inputs = HashMap::new();
        for (name, tensor) in step.tables {
            inputs.insert(name, self.backend.replicate(&tensor)?);
        }
        let tokens = how.tokens();
        inputs.insert("tokens", self.backend.replicate(&HostTensor::new(&[1, tokens], &step.tokens))?);
        inputs.insert("places", self.backend.replicate(&HostTensor::new(&[how.samples()], &step.places))?);
        let half = self.config.head_dim / 2;
        for (name, table) in [("cos", &self.cos), ("sin", &self.sin)] {
            let turned: Vec<f32> =
                step.positions.iter().flat_map(|p| table[p * half..][..half].iter().copied()).collect();
            let tensor = HostTensor::new(&[1, tokens, half], &turned);
            inputs.insert(name, self.backend.replicate(&tensor)?);
        }
        Ok(inputs)
    }
}

/// The numbers of a step.
struct Step {
    tokens: Vec<i32>,
    positions: Vec<usize>,
    places: Vec<i32>,
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
        for at in 0..room {
            let unit = units.get(at).unwrap_or(&unused);
            let first = self.tokens.len();
            self.places.push((first + unit.tokens.len() - 1) as i32);
            self.tokens.extend((0..width).map(|i| unit.tokens.get(i).copied().unwrap_or(0) as i32));
            self.positions.extend((0..width).map(|i| unit.position + i));
            table.extend((0..num_pages).map(|i| unit.pages.get(i).copied().unwrap_or(0) as i32));
            position.push(unit.position as i32);
            let page = unit.pages[unit.position / PAGE] as usize;
            place.push((page * PAGE + unit.position % PAGE) as i32);
        }
        self.tables.push((names[0], HostTensor::new(&[room, num_pages], &table)));
        self.tables.push((names[1], HostTensor::new(&[room], &position)));
        self.tables.push((names[2], HostTensor::new(&[room], &place)));
    }
}

/// Reads the parameters of a group to the device, by the names of the step's program.
fn load(
    backend: &dyn Backend,
    group: &ParamGroup,
    dtype: DType,
    value: &mut Values<'_>,
    weights: &mut HashMap<String, Array>,
) -> Result<(), TrainError> {
    let prefix = match group.key {
        GroupKey::Layer(layer) | GroupKey::Experts(layer) => format!("layers.{layer}."),
        GroupKey::Embed | GroupKey::Head => String::new(),
    };
    for (spec, (name, sizes)) in group.params.iter().zip(shape_of(group).params) {
        let mut values = Vec::new();
        for expert in 0..group.experts.unwrap_or(1) {
            values.extend(value(&spec.name_of(expert), &sizes)?);
        }
        let sizes: Vec<usize> = group.experts.into_iter().chain(sizes).collect();
        let tensor = match dtype {
            DType::Bf16 => {
                let narrow: Vec<half::bf16> = values.into_iter().map(half::bf16::from_f32).collect();
                HostTensor::new(&sizes, &narrow)
            }
            _ => HostTensor::new(&sizes, &values),
        };
        weights.insert(format!("{prefix}{name}"), backend.replicate(&tensor)?);
    }
    Ok(())
}
