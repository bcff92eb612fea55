//! The gated feed-forward of the experts that tokens picked, and its sum.
//!
//! `y[t] = sum over choices c of down_e(gate[t, c] · silu(gate_e x[t]) · up_e x[t])`, `e = choice[t, c]`. Rows are grouped by expert first, so each
//! weight that somebody picked is read once. The sum is f32 in the order of the choices. Each product is rounded to the type of the tokens, as is what
//! lies between them: all as in training ([`expert_rows`](crate::grouped::expert_rows)). A choice below zero is no expert and adds nothing.

use std::ops::Range;

use super::product::{finish, multiply, without_sums};
use super::rows::Rows;
use super::{LANES, Weights};
use crate::check::length;
use crate::grid::Grid;
use crate::lanes::vectorized;
use crate::swiglu::{self, Swiglu};
use crate::{ArgumentError, Operand, Threads};

const NAME: &str = "picked_experts";

/// Operands of [`picked_experts`].
#[derive(Clone, Copy, Debug)]
pub struct PickedExperts<'a, T> {
    /// {token, hidden}.
    pub x: &'a [T],
    /// {token, choice}.
    pub gates: &'a [f32],
    /// {token, choice}: experts; none where negative.
    pub choices: &'a [i32],
    /// From hidden to intermediate.
    pub gate: Weights<'a>,
    /// From hidden to intermediate.
    pub up: Weights<'a>,
    /// From intermediate to hidden.
    pub down: Weights<'a>,
    /// Size of `token`.
    pub num_tokens: usize,
    /// {token, hidden}: what the sum is added to, once it is rounded.
    pub onto: Option<&'a [T]>,
}

/// The experts that somebody picked, lowest first.
struct Groups {
    /// Places in {token, choice}, by expert.
    places: Vec<usize>,
    /// Experts, each with its part of `places`.
    experts: Vec<(usize, Range<usize>)>,
}

impl Groups {
    fn new(choices: &[i32], slots: usize) -> Self {
        let picked = |&choice: &i32| usize::try_from(choice).ok();
        let mut counts = vec![0; slots];
        choices.iter().filter_map(picked).for_each(|expert| counts[expert] += 1);
        let mut experts = Vec::with_capacity(slots);
        let mut start = 0;
        for (expert, count) in counts.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
            experts.push((expert, start..start + *count));
            // From now on, where the next of its places goes.
            start += std::mem::replace(count, start);
        }
        let mut places = vec![0; start];
        for (place, expert) in choices.iter().enumerate().filter_map(|(at, c)| Some((at, picked(c)?))) {
            places[counts[expert]] = place;
            counts[expert] += 1;
        }
        Self { places, experts }
    }

    /// Each expert with its places.
    fn iter(&self) -> impl Iterator<Item = (usize, &[usize])> {
        self.experts.iter().map(|(expert, places)| (*expert, &self.places[places.clone()]))
    }

    /// The expert at this place among those picked, with its places.
    fn at(&self, at: usize) -> (usize, &[usize]) {
        let (expert, places) = &self.experts[at];
        (*expert, &self.places[places.clone()])
    }
}

impl<T: Operand> PickedExperts<'_, T> {
    fn check(&self, out: usize) -> Result<(), ArgumentError> {
        let (hidden, intermediate, slots) = (self.gate.inner, self.gate.features, self.gate.slots);
        for (name, w) in [("gate", self.gate), ("up", self.up), ("down", self.down)] {
            w.check(NAME, name)?;
            let sizes = if name == "down" { (intermediate, hidden) } else { (hidden, intermediate) };
            if (w.slots, w.inner, w.features) != (slots, sizes.0, sizes.1) {
                let required = format!("{slots} experts between {hidden} and {intermediate}");
                let given = format!("{} of {} to {}", w.slots, w.inner, w.features);
                return Err(ArgumentError::Dims { kernel: NAME, name, required, given });
            }
        }
        length(NAME, "x", self.x.len(), &[self.num_tokens, hidden])?;
        length(NAME, "out", out, &[self.num_tokens, hidden])?;
        for onto in self.onto.iter() {
            length(NAME, "onto", onto.len(), &[self.num_tokens, hidden])?;
        }
        length(NAME, "gates", self.gates.len(), &[self.choices.len()])?;
        if self.num_tokens > 0 {
            length(
                NAME,
                "choices",
                self.choices.len(),
                &[self.num_tokens, self.choices.len() / self.num_tokens],
            )?;
        }
        let unknown = |&c: &i32| usize::try_from(c).is_ok_and(|c| c >= slots);
        match self.choices.iter().copied().find(unknown) {
            None => Ok(()),
            Some(choice) => {
                let required = format!("experts below {slots}");
                Err(ArgumentError::Dims {
                    kernel: NAME,
                    name: "choices",
                    required,
                    given: choice.to_string(),
                })
            }
        }
    }

    /// `gate · silu(gate x) · up x` of every place in {token, choice}.
    fn inside(&self, groups: &Groups, choices: usize, threads: &Threads) -> Rows {
        let x = Rows::of(self.x, None, &self.gate, threads);
        let mut inside = Rows::zeros(self.choices.len(), self.gate.features, &self.down);
        let parts = inside.parts();
        let panels = self.gate.features.div_ceil(LANES);
        // An expert's panels one after another.
        let tasks = groups.experts.len() * panels;
        let space = || (<[Vec<f32>; 2]>::default(), <[Vec<T>; 3]>::default(), Vec::new());
        threads.each(tasks, 1, space, |([gate, up], rounded, scale), task| {
            let ((expert, places), panel) = (groups.at(task / panels), task % panels);
            let tokens = places.iter().map(|place| place / choices);
            multiply(self.gate.panel(expert, panel), &x, tokens.clone(), gate);
            multiply(self.up.panel(expert, panel), &x, tokens, up);
            scale.clear();
            scale.extend(places.iter().map(|place| self.gates[*place]));
            rounded.iter_mut().for_each(|rounded| rounded.resize(gate.len(), T::from_f32(0.0)));
            let [gate_rows, up_rows, values] = rounded;
            vectorized(|| T::narrowed(gate, 1.0, gate_rows));
            vectorized(|| T::narrowed(up, 1.0, up_rows));
            swiglu::rows(&Swiglu { gate: gate_rows, up: up_rows, scale: Some(scale) }, LANES, values);
            let features = panel * LANES..self.gate.features.min((panel + 1) * LANES);
            for (place, values) in places.iter().zip(values.chunks(LANES)) {
                // SAFETY: a place has one expert, and a panel of it is of one task.
                let mut piece = unsafe { parts.piece(*place, features.clone()) };
                piece.write(&values[..features.len()]);
            }
        });
        inside
    }
}

/// Writes {token, hidden}.
///
/// # Errors
/// A slice that does not have the elements of its dims, matrices that do not fit each other, or an expert that there is not.
pub fn picked_experts<T: Operand>(
    problem: &PickedExperts<'_, T>,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    problem.check(out.len())?;
    let (hidden, places) = (problem.gate.inner, problem.choices.len());
    if out.is_empty() || places == 0 || problem.gate.features == 0 {
        without_sums(problem.onto, out);
        return Ok(());
    }
    let choices = places / problem.num_tokens;
    let groups = Groups::new(problem.choices, problem.gate.slots);
    let inside = problem.inside(&groups, choices, threads);
    let outs = Grid::new(out, hidden);
    let space = || (vec![0f32; places * LANES], Vec::new());
    threads.each(hidden.div_ceil(LANES), 1, space, |(given, sums), panel| {
        for (expert, own) in groups.iter() {
            multiply(problem.down.panel(expert, panel), &inside, own.iter().copied(), sums);
            for (place, sums) in own.iter().zip(sums.chunks(LANES)) {
                given[place * LANES..][..LANES].copy_from_slice(sums);
            }
        }
        for (token, given) in given.chunks(choices * LANES).enumerate() {
            let first = panel * LANES;
            // SAFETY: a panel is of one task.
            let out = unsafe { outs.part(token, first..first + LANES) };
            let onto = problem.onto.map(|onto| &onto[token * hidden + first..][..out.len()]);
            finish(&mut summed::<T>(given), onto, out);
        }
    });
    Ok(())
}

/// The sum of what a token's experts gave, {choice, lane}.
fn summed<T: Operand>(given: &[f32]) -> [f32; LANES] {
    let mut total = [0f32; LANES];
    let mut rounded = [T::from_f32(0.0); LANES];
    for given in given.chunks(LANES) {
        vectorized(|| {
            T::narrowed(given, 1.0, &mut rounded);
            total.iter_mut().zip(&rounded).for_each(|(sum, x)| *sum += x.to_f32());
        });
    }
    total
}
