//! The programs of a runner: which there are for a size of a step, each built when it is first asked for.

use std::sync::Arc;

use collegium_hlo::Residuals;
use collegium_model::programs::{self, Exchange, PAGE, Packing, Part, StepShape};
use collegium_train::engine::{Compiled, compile_all};

use super::{Runner, Spread};
use crate::scheduler::{CHUNKS, ROWS};
use crate::{Budget, ServeError};

impl Runner {
    /// A step for sequences of up to `longest` pages. Devices without the CPU's kernels gather all pages of the table, so there its width grows with
    /// the sequences.
    pub(super) fn shape(&self, (rows, chunks): (usize, usize), longest: usize) -> StepShape {
        let all = self.context.div_ceil(PAGE);
        let pages = if self.backend.has_cpu_kernels() {
            all
        } else {
            longest.next_power_of_two().clamp(4.min(all), all)
        };
        let cache_pages = self.cache_pages;
        let block = if self.packing == Packing::Natural { self.backend.block_rows() } else { 1 };
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
        let rooms = ROWS.iter().map(|&rows| (rows, 0)).chain(CHUNKS.iter().map(|&chunks| (0, chunks)));
        for room in rooms {
            let shape = self.shape(room, 1);
            for part in self.parts(shape) {
                self.program(shape, part)?;
            }
        }
        let of_budget = |budget: Budget| {
            let kept = (budget.region(), budget.pages());
            let parts = move |at| [Part::Scores(at, kept.0), Part::Keep(at, kept), Part::Put(at, kept.1)];
            (0..self.config.num_layers).flat_map(parts)
        };
        for part in self.budget.into_iter().flat_map(of_budget).collect::<Vec<_>>() {
            self.program(self.shape((0, 1), 1), part)?;
        }
        let layers = self.config.layers.iter().enumerate();
        let sparse = layers.filter(|(_, layer)| layer.feed_forward.moe().is_some());
        let lends = sparse.zip(self.spread.iter().flat_map(Spread::rooms));
        let lends: Vec<Part> = lends
            .filter(|(_, room)| room.clones > 0)
            .map(|((index, _), room)| Part::Lend(index, room))
            .collect();
        for part in lends {
            self.program(self.shape((0, 1), 1), part)?;
        }
        let programs: Vec<_> = self.programs.values().cloned().collect();
        Ok(compile_all(&*self.backend, &programs)?)
    }

    /// The parts that a step runs.
    fn parts(&self, shape: StepShape) -> Vec<Part> {
        let Some(spread) = &self.spread else {
            let layers = (0..self.config.num_layers).map(Part::Layer);
            let by_layer = || [Part::Embedding, Part::Head].into_iter().chain(layers).collect();
            return if shape.rows > 0 { vec![Part::Whole] } else { by_layer() };
        };
        let mut parts = vec![Part::Embedding, Part::Head];
        for (index, layer) in self.config.layers.iter().enumerate() {
            match layer.feed_forward.moe() {
                None => parts.push(Part::Layer(index)),
                Some(moe) => {
                    parts.push(Part::Router(index));
                    let buckets = spread.buckets(moe, shape.tokens());
                    parts.extend(buckets.into_iter().map(|bucket| Part::Experts(index, bucket)));
                }
            }
        }
        parts
    }

    /// The first part with the same program: layers of one kind share theirs.
    fn like(&self, part: Part) -> Part {
        let layers = &self.config.layers;
        let first = |index: usize| layers.iter().position(|layer| *layer == layers[index]).unwrap_or(index);
        match part {
            Part::Layer(index) => Part::Layer(first(index)),
            Part::Router(index) => Part::Router(first(index)),
            Part::Experts(index, bucket) => Part::Experts(first(index), bucket),
            Part::Lend(index, room) => Part::Lend(first(index), room),
            Part::Scores(index, pages) => Part::Scores(first(index), pages),
            Part::Keep(index, pages) => Part::Keep(first(index), pages),
            Part::Put(index, pages) => Part::Put(first(index), pages),
            other => other,
        }
    }

    pub(super) fn program(&mut self, how: StepShape, part: Part) -> Result<Arc<Compiled>, ServeError> {
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
}
