//! Balancing policies. One file each, one line in [`POLICIES`].
//!
//! A policy has two tiers. The slow one gives the experts new homes from the load of past micro-batches, between steps. The
//! fast one plans the micro-batch at hand from its counts. Both are deterministic, so that every process makes the same
//! plan from the same counts. A policy of one tier leaves the other as it is by default: homes stay where they are, and
//! rows go to the homes of their experts.

mod auto;
mod eplb;
mod exact;
mod fixed;
mod lpt;
mod relayout;
mod two_tier;
mod waterfill;

use crate::{BalanceError, CostModel, Counts, History, Layout, Plan, Topology};

/// What a policy may use, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Which ranks share a node.
    pub topology: Topology,
    /// What rows and clones cost.
    pub cost: CostModel,
    /// What it must keep to.
    pub limits: Limits,
}

impl Setting {
    /// Home slots of a rank that a layout of the slow tier may use, for layers with so many experts.
    pub fn slots(&self, num_experts: usize) -> usize {
        num_experts.div_ceil(self.topology.num_ranks()) + self.limits.spare_slots
    }
}

/// Bounds that every plan of a policy keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Most clones of a rank.
    pub max_clones: usize,
    /// Home slots of a rank beyond those that hold every expert once: room of the slow tier for copies.
    pub spare_slots: usize,
    /// Load above the mean that is let be, as a share of the mean; without, the cost model says it.
    pub tolerance: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_clones: usize::MAX, spare_slots: 1, tolerance: None }
    }
}

/// A way to lay out experts and to plan micro-batches.
pub trait Policy: Send + Sync {
    /// What the user calls it.
    fn name(&self) -> &'static str;

    /// One line on what it does.
    fn summary(&self) -> &'static str;

    /// Whether the fast tier does anything where no expert has a copy. Without, a plan says nothing that the layout does not.
    fn plans_micro_batches(&self) -> bool;

    /// The slow tier: homes for the load that was observed. With an unchanged load, the layout stays.
    ///
    /// # Errors
    /// What makes the layout impossible.
    fn relayout(
        &self,
        history: &History,
        current: &Layout,
        setting: &Setting,
    ) -> Result<Layout, BalanceError> {
        let _ = (history, setting);
        Ok(current.clone())
    }

    /// The fast tier: the plan of this micro-batch. `previous` is what this policy planned last for this layer, if anything:
    /// clones that exist already are preferred, and an unchanged load gets an unchanged plan.
    ///
    /// # Errors
    /// Counts of another group or layer.
    fn plan(
        &self,
        counts: &Counts,
        layout: &Layout,
        previous: Option<&Plan>,
        setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        let previous = previous.filter(|p| p.layout() == layout);
        match previous.filter(|p| p.verify(counts, setting.limits.max_clones).is_ok()) {
            Some(same) => Ok(same.clone()),
            None => self.plan_changed(counts, layout, previous, setting),
        }
    }

    /// [`Policy::plan`] of a load that is not that of `previous`, which is of this layout.
    ///
    /// # Errors
    /// As for [`Policy::plan`].
    fn plan_changed(
        &self,
        counts: &Counts,
        layout: &Layout,
        previous: Option<&Plan>,
        setting: &Setting,
    ) -> Result<Plan, BalanceError> {
        let _ = (previous, setting);
        Plan::homes(layout, counts)
    }
}

/// All policies.
pub const POLICIES: &[&dyn Policy] = &[
    &fixed::Static,
    &waterfill::Waterfill,
    &eplb::Eplb,
    &relayout::Relayout,
    &lpt::Lpt,
    &exact::Exact,
    &two_tier::TwoTier,
    &auto::Auto,
];

/// The policy of a name.
///
/// # Errors
/// No such policy; the error lists those there are.
pub fn by_name(name: &str) -> Result<&'static dyn Policy, BalanceError> {
    let valid = || POLICIES.iter().map(|p| p.name()).collect();
    let found = POLICIES.iter().copied().find(|p| p.name() == name);
    found.ok_or_else(|| BalanceError::Policy { name: name.to_owned(), valid: valid() })
}

/// Loads of ranks when rows are levelled over the homes of a layout: what the fast tier starts from.
pub(crate) fn levelled_loads(layout: &Layout, load: &[u64]) -> Vec<u64> {
    waterfill::filled(layout, load).loads
}
