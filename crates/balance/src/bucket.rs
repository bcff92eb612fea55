//! Static shapes: a program is compiled for a bucket, and a plan runs in the smallest compiled bucket that it fits.

/// What a dispatch program has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    /// Rows of each pair of source and destination.
    pub places: usize,
    /// Blocks of rows on each rank.
    pub blocks: usize,
}

impl Bucket {
    /// Whether a plan that needs `other` runs in this bucket.
    pub fn fits(self, other: Self) -> bool {
        other.places <= self.places && other.blocks <= self.blocks
    }

    /// Rows moved and computed, the measure of what a bucket costs.
    fn cost(self, ranks: usize, block: usize) -> usize {
        self.places * ranks + self.blocks * block
    }
}

/// The buckets compiled so far for one layer shape, and the rule that makes new ones.
#[derive(Clone, Debug)]
pub struct Ladder {
    ranks: usize,
    block: usize,
    rungs: Vec<Bucket>,
}

impl Ladder {
    /// Each rung has an eighth more room than the one below.
    const STEP: f64 = 1.125;
    /// A compiled bucket serves a plan that would fill only this share of it; below, a smaller one is compiled.
    const LEAST_FILL: f64 = 0.7;

    /// An empty ladder for groups of `ranks` and blocks of `block` rows.
    pub fn new(ranks: usize, block: usize) -> Self {
        Self { ranks, block, rungs: Vec::new() }
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
                let rung = Bucket { places: rung(need.places, 8), blocks: rung(need.blocks, 1) };
                self.rungs.push(rung);
                rung
            }
        }
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
        let mut ladder = Ladder::new(4, 32);
        let first = ladder.pick(Bucket { places: 100, blocks: 20 });
        assert!(first.fits(Bucket { places: 100, blocks: 20 }));
        assert_eq!(ladder.pick(Bucket { places: 90, blocks: 19 }), first);
        let small = ladder.pick(Bucket { places: 20, blocks: 5 });
        assert!(small < first && ladder.rungs().len() == 2);
        assert_eq!(ladder.pick(Bucket { places: 98, blocks: 20 }), first);
    }
}
