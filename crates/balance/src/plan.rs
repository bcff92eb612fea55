//! A plan for one micro-batch of one layer.
//!
//! A plan is sparse: every expert has a short list of [`Share`]s, one for each rank that processes some of its rows, and
//! only these have a number of rows for each source. A dense `[source][expert][rank]` array would be 4 GB at 1,024 ranks.

use collegium_core::{ExpertId, RankId, SlotId};

use crate::{BalanceError, Counts, Layout, home_rows::HomeRows, split};

/// Rows of one expert that one rank processes, over all sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The expert.
    pub expert: ExpertId,
    /// Who processes the rows.
    pub rank: RankId,
    /// How many rows.
    pub rows: u32,
}

/// Which slots hold which experts, and how many rows of each source and expert each rank processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    layout: Layout,
    /// By rank: home slots first, then clones.
    slots: Vec<Vec<ExpertId>>,
    /// By expert, then by rank; none is without rows.
    shares: Vec<Share>,
    /// The slot of every share on its rank.
    share_slot: Vec<SlotId>,
    /// Where the shares of each expert begin; one more at the end.
    first_share: Vec<u32>,
    /// `[source][share]`
    rows: Vec<u32>,
}

impl Plan {
    /// The plan in which every rank processes its shares; the rows of each source are split over the shares of an expert in
    /// proportion. A share on a rank without a home of the expert makes a clone.
    ///
    /// `shares` may be in any order and may name an expert and rank more than once; those are added up.
    ///
    /// # Errors
    /// Counts of another group or layer, a rank or expert out of range, or shares that are not all the rows of an expert.
    pub fn new(layout: &Layout, counts: &Counts, shares: Vec<Share>) -> Result<Self, BalanceError> {
        same_group(layout, counts)?;
        let (shares, first_share) = in_order(shares, layout)?;
        check_sums(&shares, &first_share, &counts.by_expert())?;
        let (slots, share_slot) = place(layout, &shares);
        let rows = split::over_sources(counts, &shares, &first_share);
        Ok(Self { layout: layout.clone(), slots, shares, share_slot, first_share, rows })
    }

    /// Every row goes to a home of its expert; the homes of an expert with several share evenly.
    ///
    /// # Errors
    /// Counts of another group or layer.
    pub fn homes(layout: &Layout, counts: &Counts) -> Result<Self, BalanceError> {
        same_group(layout, counts)?;
        Self::new(layout, counts, HomeRows::even(layout, &counts.by_expert()).shares(layout))
    }

    /// The homes that the plan started from.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of ranks.
    pub fn num_ranks(&self) -> usize {
        self.slots.len()
    }

    /// Number of experts.
    pub fn num_experts(&self) -> usize {
        self.first_share.len() - 1
    }

    /// Experts in the slots of a rank: homes first, then clones.
    pub fn slots(&self, rank: RankId) -> &[ExpertId] {
        &self.slots[rank.index()]
    }

    /// Slots of the rank that has most.
    pub fn num_slots(&self) -> usize {
        self.slots.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Clones on a rank.
    pub fn clones(&self, rank: RankId) -> &[ExpertId] {
        &self.slots[rank.index()][self.layout.slots(rank).len()..]
    }

    /// Clones on the rank that has most.
    pub fn max_clones(&self) -> usize {
        (0..self.num_ranks()).map(|r| self.clones(RankId::from(r)).len()).max().unwrap_or(0)
    }

    /// Clones on all ranks.
    pub fn num_clones(&self) -> usize {
        (0..self.num_ranks()).map(|r| self.clones(RankId::from(r)).len()).sum()
    }

    /// All shares, by expert, then by rank.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// Positions in [`Plan::shares`] of an expert's shares, by rank.
    pub fn shares_of(&self, expert: ExpertId) -> std::ops::Range<usize> {
        self.first_share[expert.index()] as usize..self.first_share[expert.index() + 1] as usize
    }

    /// The slot, on its rank, of the share at a position of [`Plan::shares`].
    pub fn slot_of(&self, share: usize) -> SlotId {
        self.share_slot[share]
    }

    /// Rows of one source, by position in [`Plan::shares`].
    pub fn source(&self, source: usize) -> &[u32] {
        &self.rows[source * self.shares.len()..(source + 1) * self.shares.len()]
    }

    /// Rows of `expert` that go from `source` to `rank`.
    pub fn rows(&self, source: usize, expert: usize, rank: usize) -> u32 {
        let share = self.shares_of(ExpertId::from(expert)).find(|&i| self.shares[i].rank.index() == rank);
        share.map_or(0, |i| self.source(source)[i])
    }

    /// Rows that every rank processes.
    pub fn loads(&self) -> Vec<u64> {
        let mut loads = vec![0; self.num_ranks()];
        self.shares.iter().for_each(|s| loads[s.rank.index()] += u64::from(s.rows));
        loads
    }

    /// Load of the fullest rank over the mean: 1 is perfect balance.
    pub fn max_over_mean(&self) -> f64 {
        max_over_mean(&self.loads())
    }

    /// Rows from every source (outer) to every rank.
    pub fn pairs(&self) -> Vec<u64> {
        let ranks = self.num_ranks();
        let mut pairs = vec![0; ranks * ranks];
        for (source, pairs) in pairs.chunks_exact_mut(ranks).enumerate() {
            let rows = self.source(source).iter().zip(&self.shares);
            rows.for_each(|(&n, share)| pairs[share.rank.index()] += u64::from(n));
        }
        pairs
    }

    /// Rows of the fullest pair of source and rank.
    pub fn pair_rows(&self) -> usize {
        self.pairs().into_iter().max().unwrap_or(0) as usize
    }

    /// Rows that go to clones.
    pub fn rows_moved(&self) -> u64 {
        let homes = |i: usize| self.layout.slots(self.shares[i].rank).len();
        let moved = (0..self.shares.len()).filter(|&i| self.share_slot[i].index() >= homes(i));
        moved.map(|i| u64::from(self.shares[i].rows)).sum()
    }

    /// Rows of every slot of a rank, over all sources.
    pub fn slot_rows(&self, rank: usize) -> Vec<usize> {
        let rows = |&e: &ExpertId| {
            let share = self.shares_of(e).find(|&i| self.shares[i].rank.index() == rank);
            share.map_or(0, |i| self.shares[i].rows as usize)
        };
        self.slots[rank].iter().map(rows).collect()
    }

    /// Blocks of `block` rows that the fullest rank needs; a slot's last block may be partly empty.
    pub fn blocks(&self, block: usize) -> usize {
        let mut blocks = vec![0; self.num_ranks()];
        self.shares.iter().for_each(|s| blocks[s.rank.index()] += (s.rows as usize).div_ceil(block));
        blocks.into_iter().max().unwrap_or(0)
    }
}

/// The largest of some loads over their mean; 1 where there are none.
pub fn max_over_mean(loads: &[u64]) -> f64 {
    let total: u64 = loads.iter().sum();
    let max = loads.iter().max().copied().unwrap_or(0);
    if total == 0 { 1.0 } else { max as f64 * loads.len() as f64 / total as f64 }
}

fn same_group(layout: &Layout, counts: &Counts) -> Result<(), BalanceError> {
    let (counted, laid_out) =
        ((counts.num_ranks(), counts.num_experts()), (layout.num_ranks(), layout.num_experts()));
    if counted == laid_out {
        return Ok(());
    }
    Err(BalanceError::Mismatch { counted: format!("{counted:?}"), laid_out: format!("{laid_out:?}") })
}

/// Shares by expert, then by rank, each pair once and none empty; and where each expert's begin.
fn in_order(mut shares: Vec<Share>, layout: &Layout) -> Result<(Vec<Share>, Vec<u32>), BalanceError> {
    let (ranks, experts) = (layout.num_ranks(), layout.num_experts());
    if let Some(s) = shares.iter().find(|s| s.rank.index() >= ranks || s.expert.index() >= experts) {
        let what = format!("expert {} on rank {}, of {experts} experts and {ranks} ranks", s.expert, s.rank);
        return Err(BalanceError::Plan { what });
    }
    shares.retain(|s| s.rows > 0);
    shares.sort_unstable_by_key(|s| (u64::from(s.expert.0) << 32) | u64::from(s.rank.0));
    shares.dedup_by(|next, first| {
        let same = next.expert == first.expert && next.rank == first.rank;
        if same {
            first.rows += next.rows;
        }
        same
    });
    let mut first_share = vec![0; experts + 1];
    shares.iter().for_each(|s| first_share[s.expert.index() + 1] += 1);
    for expert in 0..experts {
        first_share[expert + 1] += first_share[expert];
    }
    Ok((shares, first_share))
}

fn check_sums(shares: &[Share], first_share: &[u32], load: &[u64]) -> Result<(), BalanceError> {
    for (expert, &rows) in load.iter().enumerate() {
        let own = &shares[first_share[expert] as usize..first_share[expert + 1] as usize];
        let planned: u64 = own.iter().map(|s| u64::from(s.rows)).sum();
        if planned != rows {
            let what = format!("expert {expert} has {rows} rows and {planned} are planned");
            return Err(BalanceError::Plan { what });
        }
    }
    Ok(())
}

/// Gives every share a slot: a home of its rank, or a clone after the homes, in the order of experts.
fn place(layout: &Layout, shares: &[Share]) -> (Vec<Vec<ExpertId>>, Vec<SlotId>) {
    let ranks = (0..layout.num_ranks()).map(RankId::from);
    let mut slots: Vec<Vec<ExpertId>> = ranks.map(|r| layout.slots(r).to_vec()).collect();
    let slot = |share: &Share| {
        let home = layout.slots(share.rank).iter().position(|&e| e == share.expert);
        let slots = &mut slots[share.rank.index()];
        SlotId::from(home.unwrap_or_else(|| {
            slots.push(share.expert);
            slots.len() - 1
        }))
    };
    let share_slot = shares.iter().map(slot).collect();
    (slots, share_slot)
}
