//! The gated feed-forward of the experts that tokens picked, and their weighted sum.
//!
//! `y[t] = sum over choices c of gate[t, c] · down_e(silu(gate_e x[t]) · up_e x[t])`, `e = choice[t, c]`. Rows are grouped by expert first, so each
//! weight that somebody picked is read once. The sum is f32 in the order of the choices; what an expert gives is rounded to the type of the
//! tokens before, as is the inside of its feed-forward. A choice below zero is no expert and adds nothing.

use super::product::multiply;
use super::rows::{Piece, Rows, columns};
use super::{LANES, Weights};
use crate::check::length;
use crate::swiglu::gated;
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
}

/// Rows of one expert, as places in {token, choice}.
type Group = (usize, Vec<usize>);

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

    /// The experts that somebody picked, lowest first, each with the places in {token, choice} that picked it.
    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); self.gate.slots];
        for (place, &expert) in self.choices.iter().enumerate() {
            if let Ok(expert) = usize::try_from(expert) {
                groups[expert].push(place);
            }
        }
        groups.into_iter().enumerate().filter(|g| !g.1.is_empty()).collect()
    }

    /// `silu(gate) · up` of every place in {token, choice}.
    fn inside(&self, groups: &[Group], choices: usize, threads: &Threads) -> Rows {
        let x = Rows::of(self.x, self.gate.inner, &self.gate);
        let mut inside = Rows::zeros(self.choices.len(), self.gate.features, &self.down);
        let mut tasks = Vec::new();
        for (panel, pieces) in inside.pieces(LANES).into_iter().enumerate() {
            let mut pieces: Vec<Option<Piece<'_>>> = pieces.into_iter().map(Some).collect();
            for (expert, places) in groups {
                let own: Vec<Piece<'_>> = places.iter().filter_map(|&p| pieces[p].take()).collect();
                tasks.push((*expert, panel, places, own));
            }
        }
        // An expert's panels one after another.
        tasks.sort_by_key(|task| (task.0, task.1));
        threads.run(tasks, <[Vec<f32>; 2]>::default, |[gate, up], (expert, panel, places, pieces)| {
            let tokens = places.iter().map(|place| place / choices);
            multiply(self.gate.panel(expert, panel), &x, tokens.clone(), gate);
            multiply(self.up.panel(expert, panel), &x, tokens, up);
            gated(gate, up);
            let width = LANES.min(self.gate.features - panel * LANES);
            for (mut piece, values) in pieces.into_iter().zip(gate.chunks(LANES)) {
                piece.write::<T>(&values[..width]);
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
        out.fill(T::from_f32(0.0));
        return Ok(());
    }
    let choices = places / problem.num_tokens;
    let groups = problem.groups();
    let inside = problem.inside(&groups, choices, threads);
    let tasks: Vec<_> = columns(out, hidden, LANES, |part| part).into_iter().enumerate().collect();
    let space = || (vec![0f32; places * LANES], Vec::new());
    threads.run(tasks, space, |(given, sums), (panel, outs)| {
        for (expert, own) in &groups {
            multiply(problem.down.panel(*expert, panel), &inside, own.iter().copied(), sums);
            for (place, sums) in own.iter().zip(sums.chunks(LANES)) {
                given[place * LANES..][..LANES].copy_from_slice(sums);
            }
        }
        let tokens = given.chunks(choices * LANES).zip(problem.gates.chunks(choices));
        for (out, (given, gates)) in outs.into_iter().zip(tokens) {
            combine(given, gates, out);
        }
    });
    Ok(())
}

/// The weighted sum of what a token's experts gave, {choice, lane}.
fn combine<T: Operand>(given: &[f32], gates: &[f32], out: &mut [T]) {
    let mut total = [0f32; LANES];
    let mut rounded = [T::from_f32(0.0); LANES];
    for (given, gate) in given.chunks(LANES).zip(gates) {
        T::narrowed(given, 1.0, &mut rounded);
        total.iter_mut().zip(rounded).for_each(|(sum, x)| *sum += gate * x.to_f32());
    }
    T::narrowed(&total[..out.len()], 1.0, out);
}
