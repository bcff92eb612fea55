//! A pipeline, operation by operation.
//!
//! 1F1B and its interleaving follow the published order of every stage; what is simulated is when each operation may begin. Schedules
//! that split the backward pass are greedy: a stage takes the gradients of values that are there, else a forward pass as far as its
//! memory allows, else gradients of weights.

use serde::Serialize;

use crate::schedule::{Schedule, Turn};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Forward.
    Forward,
    /// Backward, with the gradients of weights unless the schedule splits them off.
    Backward,
    /// Gradients of weights.
    Weight,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Op {
    /// Stage.
    pub stage: usize,
    /// Piece of the stage; of DualPipe, the direction.
    pub piece: usize,
    /// Micro-batch.
    pub micro: usize,
    /// What it does.
    pub kind: Kind,
    /// Seconds from the beginning of the step.
    pub start: f64,
    /// The same.
    pub end: f64,
}

/// Runs `micro_batches` through `stages`, each cut into `pieces`; a result reaches a neighbour `hop` seconds later. A turn is of a whole
/// stage. In the order in which operations begin on each stage.
pub fn run(schedule: Schedule, stages: &[Turn], pieces: usize, micro_batches: usize, hop: f64) -> Vec<Op> {
    match schedule {
        Schedule::OneForwardOneBackward => in_order(stages, pieces, micro_batches, hop),
        _ => Greedy::new(schedule, stages, micro_batches, hop).run(),
    }
}

/// Seconds until the last operation ends.
pub fn makespan(ops: &[Op]) -> f64 {
    ops.iter().map(|o| o.end).fold(0.0, f64::max)
}

/// The order of one stage: (kind, piece, micro-batch).
fn order(stage: usize, stages: usize, pieces: usize, micro_batches: usize) -> Vec<(Kind, usize, usize)> {
    let all = pieces * micro_batches;
    let warm = match pieces {
        1 => stages - stage - 1,
        _ => 2 * (stages - stage - 1) + (pieces - 1) * stages,
    };
    let warm = warm.min(all);
    // Rounds of as many micro-batches as there are stages.
    let round = stages * pieces;
    let at = |k: usize| ((k % round) / stages, k / round * stages + k % stages);
    let place = |k: usize| if pieces == 1 { (0, k) } else { at(k) };
    let forward = |k: usize| (Kind::Forward, place(k).0, place(k).1);
    let backward = |k: usize| (Kind::Backward, pieces - 1 - place(k).0, place(k).1);
    let mut list: Vec<_> = (0..warm).map(forward).collect();
    for k in 0..all - warm {
        list.push(forward(warm + k));
        list.push(backward(k));
    }
    list.extend((all - warm..all).map(backward));
    list
}

fn in_order(stages: &[Turn], pieces: usize, micro_batches: usize, hop: f64) -> Vec<Op> {
    let p = stages.len();
    let lists: Vec<_> = (0..p).map(|s| order(s, p, pieces, micro_batches)).collect();
    // When the pass of a micro-batch through a piece of the whole model ended; pieces are dealt out round by round.
    let mut forward = vec![f64::NAN; p * pieces * micro_batches];
    let mut backward = forward.clone();
    let (mut next, mut free) = (vec![0; p], vec![0.0f64; p]);
    let mut ops = Vec::with_capacity(2 * p * pieces * micro_batches);
    loop {
        let before = ops.len();
        for stage in 0..p {
            while let Some(&(kind, piece, micro)) = lists[stage].get(next[stage]) {
                let global = piece * p + stage;
                let at = |g: usize| g * micro_batches + micro;
                let ready = match kind {
                    Kind::Forward if global == 0 => 0.0,
                    Kind::Forward => forward[at(global - 1)] + hop,
                    _ if global + 1 == p * pieces => forward[at(global)],
                    _ => backward[at(global + 1)] + hop,
                };
                if ready.is_nan() {
                    break;
                }
                let turn = &stages[stage];
                let whole = if kind == Kind::Forward { turn.forward } else { turn.input + turn.weight };
                let start = free[stage].max(ready);
                let end = start + whole / pieces as f64;
                let done = if kind == Kind::Forward { &mut forward } else { &mut backward };
                done[at(global)] = end;
                ops.push(Op { stage, piece, micro, kind, start, end });
                (free[stage], next[stage]) = (end, next[stage] + 1);
            }
        }
        if ops.len() == before {
            return ops;
        }
    }
}

/// One way through the stages: from the first to the last, or back.
struct Stream {
    /// By position, when each micro-batch's forward and backward passes are there for the next position.
    forward: Vec<Vec<f64>>,
    backward: Vec<Vec<f64>>,
    /// By position: passes begun, and gradients of weights begun.
    begun: Vec<[usize; 3]>,
}

struct Greedy<'a> {
    stages: &'a [Turn],
    hop: f64,
    /// Micro-batches of one stage whose values are held at most.
    held: usize,
    micro_batches: Vec<usize>,
    streams: Vec<Stream>,
}

impl<'a> Greedy<'a> {
    fn new(schedule: Schedule, stages: &'a [Turn], micro_batches: usize, hop: f64) -> Self {
        let p = stages.len();
        let shares = match schedule {
            Schedule::DualPipe => vec![micro_batches.div_ceil(2), micro_batches / 2],
            _ => vec![micro_batches],
        };
        let stream = |n: usize| Stream {
            forward: vec![vec![f64::INFINITY; n]; p],
            backward: vec![vec![f64::INFINITY; n]; p],
            begun: vec![[0; 3]; p],
        };
        let streams = shares.iter().map(|n| stream(*n)).collect();
        Self { stages, hop, held: schedule.in_flight(p), micro_batches: shares, streams }
    }

    fn run(mut self) -> Vec<Op> {
        let p = self.stages.len();
        let mut free = vec![0.0f64; p];
        // Times at which something may have become possible, soonest first.
        let mut times = std::collections::BTreeSet::from([0u64]);
        let mut ops = Vec::new();
        while let Some(bits) = times.pop_first() {
            // Positive numbers order as their bits do.
            let now = f64::from_bits(bits);
            for (stage, free) in free.iter_mut().enumerate() {
                if *free > now {
                    continue;
                }
                if let Some(op) = self.begin(stage, now) {
                    *free = op.end;
                    times.insert(op.end.to_bits());
                    times.insert((op.end + self.hop).to_bits());
                    ops.push(op);
                }
            }
        }
        ops
    }

    /// What a stage begins at `now`, if anything.
    fn begin(&mut self, stage: usize, now: f64) -> Option<Op> {
        let p = self.stages.len();
        let held: usize = (0..self.streams.len()).map(|d| self.count(d, stage)).map(|b| b[0] - b[2]).sum();
        let mut best: Option<(usize, Kind, usize)> = None;
        for (piece, stream) in self.streams.iter().enumerate() {
            let q = self.position(piece, stage);
            let [f, b, w] = stream.begun[q];
            let n = self.micro_batches[piece];
            // The last stage turns round.
            let before = if q + 1 == p { &stream.forward[q] } else { &stream.backward[q + 1] };
            let back = b < f && before[b] <= now;
            let ahead =
                f < n && (q == 0 || stream.forward[q - 1][f] <= now) && f - b < p - q && held < self.held;
            let rank = |kind| match kind {
                Kind::Backward => 0,
                Kind::Forward => 1,
                Kind::Weight => 2,
            };
            let mine = [(back, Kind::Backward, b), (ahead, Kind::Forward, f), (w < b, Kind::Weight, w)];
            for (_, kind, micro) in mine.into_iter().filter(|m| m.0) {
                // Of two directions, the one that is behind.
                if best.is_none_or(|o| (rank(kind), micro) < (rank(o.1), o.2)) {
                    best = Some((piece, kind, micro));
                }
            }
        }
        let (piece, kind, micro) = best?;
        let turn = &self.stages[stage];
        let seconds = match kind {
            Kind::Forward => turn.forward,
            Kind::Backward => turn.input,
            Kind::Weight => turn.weight,
        };
        let (end, q) = (now + seconds, self.position(piece, stage));
        let stream = &mut self.streams[piece];
        match kind {
            // The last stage has its own result at once.
            Kind::Forward => stream.forward[q][micro] = if q + 1 == p { end } else { end + self.hop },
            Kind::Backward => stream.backward[q][micro] = end + self.hop,
            Kind::Weight => {}
        }
        stream.begun[q][kind as usize] += 1;
        Some(Op { stage, piece, micro, kind, start: now, end })
    }

    fn position(&self, piece: usize, stage: usize) -> usize {
        if piece == 0 { stage } else { self.stages.len() - 1 - stage }
    }

    fn count(&self, piece: usize, stage: usize) -> [usize; 3] {
        self.streams[piece].begun[self.position(piece, stage)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Turn = Turn { forward: 1.0, input: 1.0, weight: 1.0 };

    /// Every operation once, none before what it needs, no stage doing two things at once.
    fn check(ops: &[Op], stages: usize, micro_batches: usize, kinds: usize, pieces: usize) {
        assert_eq!(ops.len(), stages * micro_batches * kinds * pieces);
        for stage in 0..stages {
            let mut own: Vec<&Op> = ops.iter().filter(|o| o.stage == stage).collect();
            own.sort_by(|a, b| a.start.total_cmp(&b.start));
            assert!(own.windows(2).all(|w| w[0].end <= w[1].start + 1e-9), "stage {stage} does two things");
        }
    }

    #[test]
    fn alike_stages_idle_as_long_as_each_schedule_says() {
        for (p, n) in [(2, 4), (4, 8), (8, 32)] {
            let stages = vec![TURN; p];
            for pieces in [1, 2, 4] {
                let ops = run(Schedule::OneForwardOneBackward, &stages, pieces, n, 0.0);
                check(&ops, p, n, 2, pieces);
                let least = Schedule::OneForwardOneBackward.idle(p, pieces, 3.0 * (p - 1) as f64, &TURN)
                    + 3.0 * n as f64;
                assert!(
                    (makespan(&ops) - least).abs() < 1e-9,
                    "{p} {n} {pieces}: {} {least}",
                    makespan(&ops)
                );
            }
            let ops = run(Schedule::ZeroBubble, &stages, 1, n, 0.0);
            check(&ops, p, n, 3, 1);
            let least = Schedule::ZeroBubble.idle(p, 1, 3.0 * (p - 1) as f64, &TURN) + 3.0 * n as f64;
            let found = makespan(&ops);
            assert!(found >= least - 1e-9 && found <= least + p as f64, "{p} {n}: {found} {least}");
        }
    }

    #[test]
    fn both_directions_end_and_idle_less_than_one() {
        let stages = vec![TURN; 8];
        let ops = run(Schedule::DualPipe, &stages, 1, 32, 0.0);
        check(&ops, 8, 32, 3, 1);
        let one = makespan(&run(Schedule::OneForwardOneBackward, &stages, 1, 32, 0.0));
        assert!(makespan(&ops) < one && makespan(&ops) >= 96.0, "{} {one}", makespan(&ops));
    }

    #[test]
    fn hops_and_a_slow_stage_lengthen_a_step() {
        let mut stages = vec![TURN; 4];
        let plain = makespan(&run(Schedule::OneForwardOneBackward, &stages, 1, 16, 0.0));
        let hops = makespan(&run(Schedule::OneForwardOneBackward, &stages, 1, 16, 0.1));
        assert!(hops > plain + 0.5, "{hops} {plain}");
        stages[3].forward = 2.0;
        let slow = makespan(&run(Schedule::OneForwardOneBackward, &stages, 1, 16, 0.0));
        assert!(slow >= 4.0 * 16.0, "the slow stage sets the pace: {slow}");
    }
}
