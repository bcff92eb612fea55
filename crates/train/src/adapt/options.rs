//! How the user wants experts balanced.

use collegium_balance::{CostModel, Limits, Policy, Setting, Topology, policy};
use collegium_model::config::ModelConfig;

use crate::TrainError;

/// A policy and its bounds.
#[derive(Clone, Copy)]
pub struct BalanceOptions {
    /// The policy.
    pub policy: &'static dyn Policy,
    /// Most clones of a rank in one layer.
    pub max_clones: usize,
    /// Load above the mean that is let be, as a share of the mean; without, the cost model of the platform says it.
    pub tolerance: Option<f64>,
    /// Optimizer steps between new homes.
    pub relayout_every: u64,
    /// Micro-batches that new homes are planned from.
    pub window: usize,
}

impl Default for BalanceOptions {
    /// Experts stay at home.
    fn default() -> Self {
        Self {
            policy: policy::by_name("static").expect("a policy of that name"),
            max_clones: usize::MAX,
            tolerance: None,
            relayout_every: 10,
            window: 8,
        }
    }
}

impl std::fmt::Debug for BalanceOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BalanceOptions").field("policy", &self.policy.name()).finish_non_exhaustive()
    }
}

impl BalanceOptions {
    /// What the policy may use, for groups of `topology` on a platform.
    ///
    /// # Errors
    /// None but a defect: platforms name machines that there are.
    pub(super) fn setting(
        &self,
        topology: Topology,
        platform: &str,
        model: &ModelConfig,
    ) -> Result<Setting, TrainError> {
        let moe = model.layers.iter().find_map(|l| l.feed_forward.moe());
        let (hidden, intermediate) = (model.hidden_size, moe.map_or(1, |m| m.intermediate));
        let limits = Limits {
            max_clones: self.max_clones,
            tolerance: self.tolerance,
            // A copy in the layout has its weights made every step, needed or not; a clone only where there are rows for it. So a policy
            // that clones has no use for spare slots.
            spare_slots: usize::from(!self.policy.plans_micro_batches()),
        };
        let cost = CostModel { hidden, intermediate, ..cost_of(platform)? };
        Ok(Setting { topology, cost, limits })
    }
}

/// The machine behind a platform's name.
fn cost_of(platform: &str) -> Result<CostModel, TrainError> {
    Ok(match platform {
        "neuron" => CostModel::machine("trn2")?,
        "cuda" => CostModel::machine("h100")?,
        _ => CostModel::machine("cpu")?,
    })
}
