//! Policies on recorded routing: what balance, clones, transfers and planning would have been.
//!
//! A [`Scene`] is a trace made ready for a number of ranks: for each layer, the load that the slow tier has seen and the
//! micro-batches to plan. The slow tier sees what [`PlanOn`] says; the fast tier always sees the micro-batch at hand.

mod bars;
mod figures;
mod measure;
mod planner;
mod scene;

pub use bars::{Bar, bars};
pub use figures::{Figures, LayerFigures, Outcome, Spread};
pub use planner::{PlannerTime, planner_times};
pub use scene::{PlanOn, Scene};

use crate::{BalanceError, CostModel, Limits, Policy, Setting, Topology};

/// How to replay.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Ranks to spread experts and tokens over.
    pub ranks: usize,
    /// Nodes that the ranks are on.
    pub nodes: usize,
    /// What the slow tier has seen.
    pub plan_on: PlanOn,
    /// Whether tokens change ranks at random before they are routed, which makes the sources alike.
    pub shuffle: bool,
    /// Tokens of each rank in a micro-batch; without, the whole trace is one micro-batch.
    pub tokens_per_rank: Option<usize>,
    /// Rows of a block, for padding.
    pub block: usize,
    /// The machine.
    pub cost: CostModel,
    /// Bounds of the policies.
    pub limits: Limits,
}

impl Options {
    /// Ranks on one node of a machine, and everything else at its default: the whole trace, planned on itself.
    pub fn new(ranks: usize, cost: CostModel) -> Self {
        Self {
            ranks,
            nodes: 1,
            plan_on: PlanOn::SameStep,
            shuffle: false,
            tokens_per_rank: None,
            block: 128,
            cost,
            limits: Limits::default(),
        }
    }

    fn setting(&self) -> Result<Setting, BalanceError> {
        let topology = Topology::new(self.ranks, self.nodes)?;
        Ok(Setting { topology, cost: self.cost, limits: self.limits })
    }
}

/// What one policy makes of a scene.
///
/// # Errors
/// Nodes that do not divide the ranks, or a plan that fails its check.
pub fn replay(scene: &Scene, policy: &dyn Policy, options: &Options) -> Result<Outcome, BalanceError> {
    let setting = options.setting()?;
    let layers =
        scene.layers.iter().map(|layer| measure::layer(layer, policy, &setting, options, scene.kind));
    Ok(Outcome::new(policy.name(), options.ranks, layers.collect::<Result<_, _>>()?))
}
