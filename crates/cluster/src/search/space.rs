//! Which layouts there are: degrees that divide as they must, and the choices that go with them.

use super::Space;
use crate::layout::{Layout, Recompute, Sharding};
use crate::schedule::Schedule;
use crate::step::Pricer;
use crate::stragglers::Balanced;

/// All numbers that divide `n`, ascending.
pub fn divisors(n: usize) -> Vec<usize> {
    (1..=n).filter(|d| n.is_multiple_of(*d)).collect()
}

/// What one branch of the search fixes.
#[derive(Clone, Copy)]
pub(super) struct Branch {
    pub(super) tensor: usize,
    pub(super) context: usize,
    pub(super) pipeline: usize,
    pub(super) micro_batch: usize,
    pub(super) recompute: Recompute,
}

impl Space {
    fn allowed(&self, degree: usize) -> bool {
        !self.powers_only || degree.is_power_of_two()
    }

    /// All branches.
    pub(super) fn branches(&self, pricer: &Pricer<'_>) -> Vec<Branch> {
        let c = &pricer.model.config;
        let (tensor_limit, context_limit, stage_limit) = if self.trainable_only {
            (1, 1, 1)
        } else {
            (pricer.domain().min(c.num_heads).min(64), (pricer.seq / 4096).clamp(1, 64), c.num_layers.min(64))
        };
        let degrees = divisors(self.ranks);
        let upto = |limit: usize| degrees.iter().copied().filter(move |d| *d <= limit && self.allowed(*d));
        let mut all = Vec::new();
        for tensor in upto(tensor_limit).filter(|t| c.num_heads.is_multiple_of(*t)) {
            for context in upto(context_limit).filter(|d| d.is_power_of_two()) {
                for pipeline in upto(stage_limit) {
                    let rest = tensor * context * pipeline;
                    if !self.ranks.is_multiple_of(rest) {
                        continue;
                    }
                    let data = self.ranks / rest;
                    for micro_batch in [1, 2, 4, 8, 16, 32] {
                        if !self.batch.is_multiple_of(data * micro_batch) {
                            continue;
                        }
                        for recompute in Recompute::ALL {
                            all.push(Branch { tensor, context, pipeline, micro_batch, recompute });
                        }
                    }
                }
            }
        }
        all
    }

    /// Layouts of a branch.
    pub(super) fn layouts(&self, branch: Branch, pricer: &Pricer<'_>, coarse: bool) -> Vec<Layout> {
        let data = self.ranks / (branch.tensor * branch.context * branch.pipeline);
        let stage_ranks = data * branch.tensor * branch.context;
        let micro_batches = self.batch / (data * branch.micro_batch);
        let layers = pricer.model.config.num_layers;
        let experts = pricer.model.moe().map_or(1, |m| m.num_experts);
        // Experts lie on a mesh of their own: cut as often as attention, less often or more, over ranks that links join directly.
        let cuts = match (pricer.model.moe(), self.trainable_only || coarse) {
            (Some(moe), false) => divisors(moe.intermediate),
            _ => vec![1],
        };
        let cuts: Vec<usize> =
            cuts.into_iter().filter(|c| *c <= pricer.domain() && self.allowed(*c)).collect();
        let plain = Schedule::OneForwardOneBackward;
        let schedules: &[(Schedule, usize)] = if branch.pipeline == 1 || coarse {
            &[(plain, 1)]
        } else {
            &[
                (plain, 1),
                (plain, 2),
                (plain, 4),
                (plain, 8),
                (Schedule::ZeroBubble, 1),
                (Schedule::DualPipe, 1),
            ]
        };
        let shardings: &[Sharding] = match (self.trainable_only, coarse) {
            (true, _) => &[Sharding::Gradients],
            (_, true) => &[Sharding::Optimizer],
            _ => &[Sharding::None, Sharding::Optimizer, Sharding::Gradients, Sharding::Weights],
        };
        // In host memory where the way there is known; slower wherever the device has room.
        let offload: &[bool] = match pricer.room_on_host() {
            Some(_) if !self.trainable_only && !coarse => &[false, true],
            _ => &[false],
        };
        let unplanned = [Balanced::default()];
        let mut all = Vec::new();
        for expert in divisors(experts) {
            for &expert_tensor in &cuts {
                if !stage_ranks.is_multiple_of(expert * expert_tensor) || !self.allowed(expert) {
                    continue;
                }
                // Where no two ranks hold the same weights there is nothing to spread: one layout, not four of one price.
                let copies = (data * branch.context).max(stage_ranks / (expert * expert_tensor));
                let shardings = if copies == 1 { &shardings[..1] } else { shardings };
                for &(schedule, virtual_stages) in schedules {
                    let pieces = branch.pipeline * virtual_stages;
                    // Interleaving needs full rounds of micro-batches, and DualPipe two directions.
                    let runs = match schedule {
                        Schedule::DualPipe => {
                            branch.pipeline.is_multiple_of(2)
                                && 2 * branch.pipeline <= layers
                                && micro_batches.is_multiple_of(2)
                        }
                        _ => virtual_stages == 1 || micro_batches.is_multiple_of(branch.pipeline),
                    };
                    if pieces > layers || !runs {
                        continue;
                    }
                    let budgets = self.balance.get(&expert).map_or(&unplanned[..], |b| b);
                    let choices = budgets.iter().flat_map(|b| shardings.iter().map(move |s| (b.clones, *s)));
                    all.extend(choices.flat_map(|(c, s)| offload.iter().map(move |o| (c, s, *o))).map(
                        |(clones, sharding, offload)| Layout {
                            clones,
                            data,
                            tensor: branch.tensor,
                            context: branch.context,
                            pipeline: branch.pipeline,
                            virtual_stages,
                            schedule,
                            expert,
                            expert_tensor,
                            micro_batch: branch.micro_batch,
                            micro_batches,
                            recompute: branch.recompute,
                            sharding,
                            offload,
                        },
                    ));
                }
            }
        }
        all
    }
}
