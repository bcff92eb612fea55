//! `waterfill`: the homes of an expert with several share its rows so that ranks are as level as the layout lets them be.
//!
//! Homes and copies are those of `eplb`. Each expert with copies expert in turn is poured anew onto its homes: every home gets rows up to one common level above what else its rank
//! holds. Sweeps over the experts go on until none changes anything, [`SWEEPS`] at most. The fullest rank never gets fuller.

use collegium_core::ExpertId;

use super::{Policy, Setting, eplb::Eplb};
use crate::{BalanceError, Counts, History, Layout, Plan, home_rows::HomeRows};

/// Rows of copies go where there is room.
pub struct Waterfill;

/// Loads settle within a few sweeps; what remains after so many is a matter of single rows.
const SWEEPS: usize = 16;

impl Policy for Waterfill {
    fn name(&self) -> &'static str {
        "waterfill"
    }

    fn summary(&self) -> &'static str {
        "homes and copies of eplb, rows levelled over copies"
    }

    fn plans_micro_batches(&self) -> bool {
        false
    }

    fn relayout(
        &self,
        history: &History,
        current: &Layout,
        setting: &Setting,
    ) -> Result<Layout, BalanceError> {
        Eplb.relayout(history, current, setting)
    }

    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        _previous: Option<&Plan>,
        _setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        Plan::new(layout, counts, filled(layout, &counts.by_expert()).shares(layout))
    }
}

/// Rows of home slots after filling.
pub(super) fn filled(layout: &Layout, load: &[u64]) -> HomeRows {
    let mut homes = HomeRows::even(layout, load);
    let mut copied: Vec<ExpertId> =
        (0..layout.num_experts()).map(ExpertId::from).filter(|&e| layout.homes(e).len() > 1).collect();
    copied.sort_by_key(|e| std::cmp::Reverse(load[e.index()]));
    for _ in 0..SWEEPS {
        let changed = copied.iter().filter(|&&e| pour(&mut homes, layout, e)).count();
        if changed == 0 {
            break;
        }
    }
    homes
}

/// Pours one expert anew; whether that changed a slot.
fn pour(homes: &mut HomeRows, layout: &Layout, expert: ExpertId) -> bool {
    let mut places: Vec<(u64, usize, usize)> = Vec::with_capacity(layout.homes(expert).len());
    let mut rows = 0;
    for &rank in layout.homes(expert) {
        let slot = layout.slots(rank).iter().position(|&e| e == expert).expect("a home has a slot");
        let own = u64::from(homes.rows[rank.index()][slot]);
        rows += own;
        places.push((homes.loads[rank.index()] - own, rank.index(), slot));
    }
    places.sort_unstable();
    // The level of the lowest `n` places once they hold all rows; the first `n` whose level is below the next place.
    let mut floor = 0;
    let mut wet = places.len();
    for (n, &(load, ..)) in places.iter().enumerate() {
        if n > 0 && load * n as u64 >= floor + rows {
            wet = n;
            break;
        }
        floor += load;
    }
    let (level, mut more) = ((floor + rows) / wet as u64, (floor + rows) % wet as u64);
    let mut changed = false;
    for (i, &(load, rank, slot)) in places.iter().enumerate() {
        let mut own = 0;
        if i < wet {
            own = level - load + u64::from(more > 0);
            more = more.saturating_sub(1);
        }
        changed |= homes.rows[rank][slot] != own as u32;
        homes.rows[rank][slot] = own as u32;
        homes.loads[rank] = load + own;
    }
    changed
}
