//! Static shapes: a program is compiled for a bucket, and a plan runs in the smallest compiled bucket that it fits.

/// What a dispatch program has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    /// Slots of each rank: homes and clones.
    pub slots: usize,
    /// Rows of each pair of source and destination.
    pub places: usize,
    /// Blocks of rows on each rank.
    pub blocks: usize,
}

impl Bucket {
    /// Whether a plan that needs `other` runs in this bucket.
    pub fn fits(self, other: Self) -> bool {
        other.slots <= self.slots && other.places <= self.places && other.blocks <= self.blocks
    }

    /// What a bucket costs, in rows: those moved, those computed, and a block for each slot, whose weights move too.
    fn cost(self, ranks: usize, block: usize) -> usize {
        self.places * ranks + (self.blocks + self.slots) * block
    }

    /// The smallest bucket that both fit.
    pub fn union(self, other: Self) -> Self {
        Self {
            slots: self.slots.max(other.slots),
            places: self.places.max(other.places),
            blocks: self.blocks.max(other.blocks),
        }
    }
}

/// The buckets compiled so far for one layer shape, and the rule that makes new ones.
#[derive(Clone, Debug)]
pub struct Ladder {
    ranks: usize,
    block: usize,
    homes: usize,
    rungs: Vec<Bucket>,
}

impl Ladder {
    /// Each rung has an eighth more room than the one below.
    const STEP: f64 = 1.125;
    /// A compiled bucket serves a plan that would fill only this share of it; below, a smaller one is compiled.
    const LEAST_FILL: f64 = 0.7;

    /// An empty ladder for groups of `ranks`, blocks of `block` rows and layouts of `homes` home slots a rank.
    pub fn new(ranks: usize, block: usize, homes: usize) -> Self {
        Self { ranks, block, homes, rungs: Vec::new() }
    }

    /// The bucket for a plan that needs `need`: a compiled one that it fills well, or a new rung.
    pub fn pick(&mut self, need: Bucket) -> Bucket {
        let best = self
            .rungs
            .iter()
            .copied()
            .filter(|b| b.fits(need))
            .min_by_key(|b| b.cost(self.ranks, self.block));
        let fill =
            |b: Bucket| need.cost(self.ranks, self.block) as f64 / b.cost(self.ranks, self.block) as f64;
        match best {
            Some(bucket) if fill(bucket) >= Self::LEAST_FILL => bucket,
            _ => {
                let bucket = self.rung(need);
                self.rungs.push(bucket);
                bucket
            }
        }
    }

    /// The bucket that is made for a plan that needs `need`. Clone slots are 0, 1, 2, 4, 8, ...
    pub fn rung(&self, need: Bucket) -> Bucket {
        let clones = need.slots.saturating_sub(self.homes);
        let clones = if clones == 0 { 0 } else { clones.next_power_of_two() };
        let slots = self.homes + clones;
        Bucket { slots, places: rung(need.places, 8), blocks: rung(need.blocks, 1) }
    }

    /// The rungs so far, in the order they were first needed.
    pub fn rungs(&self) -> &[Bucket] {
        &self.rungs
    }
}

/// The smallest rung at or above `need`, a multiple of `unit`.
fn rung(need: usize, unit: usize) -> usize {
    let mut size = unit as f64;
    loop {
        let rounded = (size.ceil() as usize).next_multiple_of(unit);
        if rounded >= need {
            return rounded;
        }
        size = (size * Ladder::STEP).max(size + unit as f64 * 0.5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_has_room_and_wastes_little() {
        for need in 1..5000 {
            let size = rung(need, 8);
            assert!(size >= need && size.is_multiple_of(8));
            assert!(size as f64 <= (need as f64 * 1.13 + 16.0), "{need} -> {size}");
        }
    }

    #[test]
    fn a_compiled_bucket_is_kept_while_it_is_filled_well() {
        let mut ladder = Ladder::new(4, 32, 2);
        let first = ladder.pick(Bucket { slots: 2, places: 100, blocks: 20 });
        assert!(first.fits(Bucket { slots: 2, places: 100, blocks: 20 }));
        assert_eq!(ladder.pick(Bucket { slots: 2, places: 90, blocks: 19 }), first);
        let small = ladder.pick(Bucket { slots: 2, places: 20, blocks: 5 });
        assert!(small < first && ladder.rungs().len() == 2);
        assert_eq!(ladder.pick(Bucket { slots: 2, places: 98, blocks: 20 }), first);
    }

    #[test]
    fn clone_slots_are_few_powers_of_two() {
        let ladder = Ladder::new(4, 32, 2);
        let slots = |n| ladder.rung(Bucket { slots: n, places: 8, blocks: 1 }).slots;
        assert_eq!((1..=8).map(slots).collect::<Vec<_>>(), [2, 2, 3, 4, 6, 6, 10, 10]);
    }
}
