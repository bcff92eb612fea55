//! What tests price: a model on p5.48xlarge, eight H100.

use super::Pricer;
use crate::catalog::Catalog;
use crate::instance::Instance;
use crate::layout::{Layout, Recompute, Sharding, Software};
use crate::model::{PlanModel, Sizes};
use crate::roofline::Precision;
use crate::schedule::Schedule;

/// One micro-batch of one sequence on each of eight ranks.
pub(crate) const LAYOUT: Layout = Layout {
    data: 8,
    tensor: 1,
    context: 1,
    pipeline: 1,
    virtual_stages: 1,
    schedule: Schedule::OneForwardOneBackward,
    expert: 1,
    expert_tensor: 1,
    clones: 0,
    micro_batch: 1,
    micro_batches: 1,
    recompute: Recompute::SaveEverything,
    sharding: Sharding::Optimizer,
    offload: false,
};

/// A model, and where it runs.
pub(crate) struct Case {
    pub(crate) model: PlanModel,
    pub(crate) instance: Instance,
    catalog: Catalog,
}

impl Case {
    pub(crate) fn new(sizes: Sizes) -> Self {
        let catalog = Catalog::default();
        let instance = catalog.instance("p5.48xlarge").unwrap().clone();
        Self { model: PlanModel::plain("test", sizes.config().unwrap()), instance, catalog }
    }

    pub(crate) fn pricer(&self, seq: usize) -> Pricer<'_> {
        let device = self.catalog.device(&self.instance.device).unwrap();
        Pricer::new(&self.model, device, &self.instance, seq).unwrap()
    }

    /// As the trainer runs it there, in bfloat16.
    pub(crate) fn software(&self) -> Software {
        let device = self.catalog.device(&self.instance.device).unwrap();
        Software::trainer(&device.platform, Precision::Bfloat16)
    }
}
