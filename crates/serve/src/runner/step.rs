//! The numbers of a step: where its tokens are, by rank, as the programs read them.

use collegium_core::HostTensor;
use collegium_model::programs::{PAGE, Packing, StepShape};
use collegium_runtime::Backend;
use collegium_train::engine::Env;

use crate::ServeError;
use crate::pages::PageId;

/// One token of a sequence, or a page of them.
pub struct Unit<'a> {
    /// The rank that has the sequence.
    pub rank: usize,
    /// One token of a row, up to [`PAGE`] of a chunk.
    pub tokens: &'a [u32],
    /// Place of the first in its text, by which keys are turned.
    pub position: usize,
    /// Place of the first in its sequence's cache: the same where nothing was dropped.
    pub place: usize,
    /// Pages of the sequence, at least up to the one that is written.
    pub pages: &'a [PageId],
}

/// Pages of the longest sequence.
pub(super) fn longest(units: &[Unit<'_>]) -> usize {
    units.iter().map(|unit| unit.pages.len()).max().unwrap_or(1)
}

/// cos and sin of every position, {position, half}, row-major.
pub(super) struct Turns {
    pub(super) cos: Vec<f32>,
    pub(super) sin: Vec<f32>,
    pub(super) half: usize,
}

/// What the programs of a step read beside weights and caches. `units` of one rank stand together, in the order of ranks.
pub(super) fn inputs(
    backend: &dyn Backend,
    how: StepShape,
    units: &[Unit<'_>],
    turns: &Turns,
) -> Result<Env, ServeError> {
    let ranks = 0..backend.num_devices();
    let steps: Vec<Step> =
        ranks.map(|rank| Step::new(how, units.iter().filter(|u| u.rank == rank))).collect();
    let mut inputs = Env::default();
    let mut put = |name, of: &dyn Fn(&Step) -> HostTensor| -> Result<(), ServeError> {
        let array = backend.upload(&steps.iter().map(of).collect::<Vec<_>>())?;
        inputs = std::mem::take(&mut inputs).with(name, array);
        Ok(())
    };
    let tokens = how.tokens();
    let is_natural = how.packing == Packing::Natural;
    if is_natural {
        let [pages, position, place] = match how.rows {
            0 => ["chunk.pages", "chunk.position", "chunk.place"],
            _ => ["row.pages", "row.position", "row.place"],
        };
        put(pages, &|step| HostTensor::new(&[how.samples(), how.pages], &step.pages))?;
        put(position, &|step| HostTensor::new(&[how.samples()], &step.unit_position))?;
        put(place, &|step| HostTensor::new(&[how.samples()], &step.unit_place))?;
    } else {
        put("sequence", &|step| HostTensor::new(&[tokens], &step.sequence))?;
        put("position", &|step| HostTensor::new(&[tokens], &step.position))?;
        put("place", &|step| HostTensor::new(&[tokens], &step.place))?;
        put("pages", &|step| HostTensor::new(&[how.samples(), how.pages], &step.pages))?;
    }
    if steps.len() > 1 {
        put("used", &|step| HostTensor::new(&[tokens], &step.used))?;
    }
    put("tokens", &|step| HostTensor::new(&[1, tokens], &step.tokens))?;
    put("places", &|step| HostTensor::new(&[how.samples()], &step.places))?;
    let half = turns.half;
    for (name, table) in [("cos", &turns.cos), ("sin", &turns.sin)] {
        put(name, &|step| {
            let at = step.turn.iter().flat_map(|&p| table[p * half..][..half].iter().copied());
            let turned: Vec<f32> = at.collect();
            let sizes = if is_natural { vec![1, tokens, half] } else { vec![tokens, half] };
            HostTensor::new(&sizes, &turned)
        })?;
    }
    Ok(inputs)
}

/// The numbers of one rank.
#[derive(Default)]
struct Step {
    tokens: Vec<i32>,
    /// Tokens whose logits are wanted.
    places: Vec<i32>,
    /// By token: its place in the text, whether somebody asked for it, its unit, its place in the sequence's cache and in that of all.
    turn: Vec<usize>,
    used: Vec<i32>,
    sequence: Vec<i32>,
    position: Vec<i32>,
    place: Vec<i32>,
    /// {unit, page}
    pages: Vec<i32>,
    /// By unit: place of its first token in the sequence's cache and in that of all.
    unit_position: Vec<i32>,
    unit_place: Vec<i32>,
}

impl Step {
    /// Some units, and as many unused ones as there is room for.
    fn new<'a>(how: StepShape, units: impl Iterator<Item = &'a Unit<'a>>) -> Self {
        let (room, width) = if how.rows > 0 { (how.rows, 1) } else { (how.chunks, PAGE) };
        let mut step = Self::default();
        let unused = Unit { rank: 0, tokens: &[], position: 0, place: 0, pages: &[0] };
        let mut before: Option<&Unit<'_>> = None;
        let mut units = units.fuse();
        for _ in 0..room {
            let unit = units.next();
            // Tokens of one sequence, whose pages nobody else has, read them together.
            let goes_on = unit.zip(before).is_some_and(|(unit, before)| unit.pages == before.pages);
            step.add(unit.unwrap_or(&unused), goes_on, (width, how.pages));
            before = unit;
        }
        step
    }

    /// Adds a unit of room for `width` tokens; one that `goes_on` reads the pages of the one before.
    fn add(&mut self, unit: &Unit<'_>, goes_on: bool, (width, pages): (usize, usize)) {
        let first = self.tokens.len();
        let number = match self.sequence.last() {
            Some(&last) if goes_on => last,
            _ => (self.pages.len() / pages) as i32,
        };
        let start = unit.pages[unit.place / PAGE] as usize * PAGE + unit.place % PAGE;
        self.places.push((first + unit.tokens.len().max(1) - 1) as i32);
        for at in 0..width {
            self.tokens.push(unit.tokens.get(at).copied().unwrap_or(0) as i32);
            self.used.push(i32::from(at < unit.tokens.len()));
            self.sequence.push(number);
            self.turn.push(unit.position + at);
            self.position.push((unit.place + at) as i32);
            self.place.push((start + at) as i32);
        }
        self.pages.extend((0..pages).map(|at| unit.pages.get(at).copied().unwrap_or(0) as i32));
        self.unit_position.push(unit.place as i32);
        self.unit_place.push(start as i32);
    }
}
