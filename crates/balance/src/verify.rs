//! A plan checked against the counts before any device sees it.

use collegium_core::{ExpertId, RankId};

use crate::{BalanceError, Counts, Plan};

impl Plan {
    /// Checks that the plan is of these counts: every row of every source and expert goes to exactly one slot that holds the
    /// expert, every expert has a home, and no rank has more than `max_clones` clones. O(ranks x shares).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, counts: &Counts, max_clones: usize) -> Result<(), BalanceError> {
        let wrong = |what: String| Err(BalanceError::Plan { what });
        let planned = (self.num_ranks(), self.num_experts());
        if planned != (counts.num_ranks(), counts.num_experts()) {
            let counted = (counts.num_ranks(), counts.num_experts());
            return wrong(format!("it is for {planned:?} ranks and experts, the counts for {counted:?}"));
        }
        for rank in (0..self.num_ranks()).map(RankId::from) {
            let (slots, homes) = (self.slots(rank), self.layout().slots(rank));
            if !slots.starts_with(homes) {
                return wrong(format!("the slots of rank {rank} do not begin with its homes"));
            }
            if slots.len() - homes.len() > max_clones {
                let clones = slots.len() - homes.len();
                return wrong(format!("rank {rank} has {clones} clones, {max_clones} are allowed"));
            }
        }
        for (i, share) in self.shares().iter().enumerate() {
            if self.slots(share.rank).get(self.slot_of(i).index()) != Some(&share.expert) {
                return wrong(format!("rank {} has no slot with expert {}", share.rank, share.expert));
            }
        }
        self.verify_rows(counts)
    }

    fn verify_rows(&self, counts: &Counts) -> Result<(), BalanceError> {
        let wrong = |what: String| Err(BalanceError::Plan { what });
        let mut received = vec![0u64; self.shares().len()];
        for source in 0..self.num_ranks() {
            let rows = self.source(source);
            received.iter_mut().zip(rows).for_each(|(sum, &n)| *sum += u64::from(n));
            for expert in 0..self.num_experts() {
                let sent: u64 =
                    rows[self.shares_of(ExpertId::from(expert))].iter().map(|&n| u64::from(n)).sum();
                let has = counts.rows(source, expert);
                if sent != u64::from(has) {
                    return wrong(format!(
                        "source {source} has {has} rows of expert {expert} and sends {sent}"
                    ));
                }
            }
        }
        for (share, &sum) in self.shares().iter().zip(&received) {
            if u64::from(share.rows) != sum {
                let (rank, expert) = (share.rank, share.expert);
                return wrong(format!(
                    "rank {rank} expects {} rows of expert {expert} and gets {sum}",
                    share.rows
                ));
            }
        }
        Ok(())
    }
}
