//! Seconds of a step's collectives, and what of them no work hides.

use collegium_model::config::LayerConfig;

use super::Pricer;
use crate::collective::{Group, Kind};
use crate::layout::{Layout, Recompute, Sharding, Software};
use crate::roofline::Precision;

impl Pricer<'_> {
    /// Gathering and scattering rows around attention and feed-forward, forward and backward.
    pub(super) fn tensor_traffic(&self, layer: &LayerConfig, layout: &Layout, software: &Software) -> f64 {
        if layout.tensor == 1 {
            return 0.0;
        }
        let local = self.local(layout, software);
        let bytes = (local.tokens() * self.model.config.hidden_size * local.dtype.size_bytes()) as f64;
        let group = layout.tensor_group(self.domain());
        let links = self.links();
        let pair =
            links.seconds(Kind::AllGather, group, bytes) + links.seconds(Kind::ReduceScatter, group, bytes);
        // Attention and a dense feed-forward each gather and scatter; experts exchange rows instead.
        let blocks = if layer.feed_forward.moe().is_some() { 1.0 } else { 2.0 };
        // Backward gathers once more for the weights' gradients, and so does recomputation.
        let passes = if layout.recompute == Recompute::Recompute { 3.0 } else { 2.0 };
        blocks * pair * passes
    }

    /// Keys and values going round a ring, hidden behind attention as far as it lasts.
    pub(super) fn context_traffic(&self, layout: &Layout, attention: f64) -> f64 {
        if layout.context == 1 {
            return 0.0;
        }
        let c = &self.model.config;
        let tokens = (layout.micro_batch * self.seq / layout.context) as f64;
        let bytes = tokens * (2 * c.num_kv_heads * c.head_dim).div_ceil(layout.tensor) as f64 * 2.0;
        let group = layout.context_group(self.domain());
        let whole = bytes * layout.context as f64;
        let links = self.links();
        let forward = links.seconds(Kind::AllGather, group, whole);
        let backward = forward + links.seconds(Kind::ReduceScatter, group, whole);
        (forward + backward - 0.5 * attention).max(0.2 * (forward + backward))
    }

    /// Dispatch and combine of one layer, forward and backward.
    pub(super) fn dispatch(&self, layer: &LayerConfig, layout: &Layout, software: &Software) -> f64 {
        let Some(moe) = layer.feed_forward.moe() else { return 0.0 };
        let local = self.local(layout, software);
        let domain = self.domain();
        let links = self.links();
        // Ranks that share heads share tokens here; those that share an expert gather the rows that came to each.
        let tokens = local.tokens() as f64 / layout.tensor as f64;
        let width = (self.model.config.hidden_size * local.dtype.size_bytes()) as f64;
        let group = layout.expert_group(domain);
        let nodes = (group.ranks / group.local) as f64;
        let rows = tokens * moe.top_k as f64;
        let once = if software.deduplicated && nodes > 1.0 {
            // Of every row that some rank of a domain needs, one copy crosses; inside it fans out.
            let reached = expected_domains(moe.num_experts as f64, moe.top_k as f64, nodes);
            let network = &self.instance.network;
            let outside = tokens * reached * (nodes - 1.0) / nodes * width / links.network_rate();
            let inside =
                links.seconds(Kind::AllToAll, Group { ranks: group.local, local: group.local }, rows * width);
            outside.max(inside) + 0.25 * outside.min(inside) + network.latency.get().unwrap_or(0.0)
        } else {
            links.seconds(Kind::AllToAll, group, rows * width)
        };
        let cut = layout.expert_tensor_group(domain);
        let gathered = rows * width * layout.expert_tensor as f64;
        let shared = if layout.expert_tensor > 1 {
            links.seconds(Kind::AllGather, cut, gathered) + links.seconds(Kind::ReduceScatter, cut, gathered)
        } else {
            0.0
        };
        let passes = if layout.recompute == Recompute::Recompute { 3.0 } else { 2.0 };
        passes * (2.0 * once + shared)
    }

    /// Weights of clones made before a micro-batch and their gradients sent home after it, as the trainer does it: a layer with clones has
    /// all its slots made anew, where one without keeps its homes for the whole step.
    pub(super) fn clone_traffic(
        &self,
        layer: &LayerConfig,
        layout: &Layout,
        software: &Software,
    ) -> [f64; 2] {
        let Some(moe) = layer.feed_forward.moe() else { return [0.0; 2] };
        if software.cloned == 0.0 || layout.expert == 1 {
            return [0.0; 2];
        }
        let expert = self.expert_bytes(layer, layout, 1.0);
        let homes = moe.num_experts as f64 / layout.expert as f64;
        let width = self.local(layout, software).dtype.size_bytes() as f64;
        let group = layout.expert_group(self.domain());
        let sent = |slots: f64, bytes: f64| {
            software.cloned * self.links().seconds(Kind::AllToAll, group, slots * expert * bytes)
        };
        let slots = software.clone_slots;
        [sent(homes + slots, width), sent(slots, software.gradient_bytes)]
    }

    /// Bytes of one expert on one rank, of so many a parameter.
    pub(super) fn expert_bytes(&self, layer: &LayerConfig, layout: &Layout, bytes: f64) -> f64 {
        let experts = layer.feed_forward.moe().map_or(1, |m| m.num_experts) as f64;
        bytes * self.model.expert_parameters(layer) / experts / layout.expert_tensor as f64
    }

    /// Activations between neighbouring stages, there and back, of one micro-batch.
    pub(super) fn stage_traffic(&self, layout: &Layout, software: &Software) -> f64 {
        let local = self.local(layout, software);
        let rows = if software.sequence_parallel { layout.tensor } else { 1 };
        let bytes = (local.tokens() * self.model.config.hidden_size * 2 / rows) as f64;
        2.0 * self.links().seconds(Kind::Shift, layout.stage_group(self.domain()), bytes)
    }

    /// Exposed traffic of gradients and weights: of every micro-batch, and once a step.
    pub(super) fn data_traffic(&self, layout: &Layout, software: &Software, micro: f64) -> (f64, f64) {
        let (dense, experts) = self.parameters(layout);
        let (domain, links) = (self.domain(), self.links());
        let (all, own) = (layout.data_group(domain), layout.expert_data_group(domain));
        let both = |kind, bytes: f64| {
            links.seconds(kind, all, dense * bytes) + links.seconds(kind, own, experts * bytes)
        };
        let width = if software.precision == Precision::Float32 { 4.0 } else { 2.0 };
        let overlap = self.device.calibration.overlap_data;
        let exposed =
            |traffic: f64, window: f64| (traffic - overlap * window).max((1.0 - overlap) * traffic * 0.5);
        match layout.sharding {
            Sharding::Weights => {
                // Gathered for forward and again for backward.
                let traffic =
                    2.0 * both(Kind::AllGather, width) + both(Kind::ReduceScatter, software.gradient_bytes);
                (exposed(traffic, micro), 0.0)
            }
            Sharding::None => (0.0, exposed(both(Kind::AllReduce, software.gradient_bytes), 0.6 * micro)),
            _ => {
                let reduce = both(Kind::ReduceScatter, software.gradient_bytes);
                let reduced = exposed(reduce, 0.6 * micro);
                let gathered = exposed(both(Kind::AllGather, width), 0.3 * micro);
                if software.reduce_every_micro_batch {
                    (reduced, gathered)
                } else {
                    (0.0, reduced + gathered)
                }
            }
        }
    }
}

/// Domains that the experts of one row lie in, on average, for `top_k` of `experts` chosen alike over `domains`.
fn expected_domains(experts: f64, top_k: f64, domains: f64) -> f64 {
    let per = experts / domains;
    let mut none = 1.0;
    let mut i = 0.0;
    while i < top_k {
        none *= ((experts - per - i) / (experts - i)).max(0.0);
        i += 1.0;
    }
    domains * (1.0 - none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sizes;
    use crate::step::case::{Case, LAYOUT};

    #[test]
    fn ranks_that_share_an_expert_send_their_own_tokens_and_gather_the_rest() {
        let sizes = Sizes { layers: 1, hidden: 1024, heads: 8, kv_heads: 8, head_dim: 128, ..Sizes::SMALL };
        let case = Case::new(sizes);
        let (pricer, software) = (case.pricer(4096), case.software());
        let whole = Layout { data: 2, tensor: 4, expert: 2, ..LAYOUT };
        let cut = Layout { expert_tensor: 4, ..whole };
        let layer = &case.model.config.layers[0];
        let more = pricer.dispatch(layer, &cut, &software) - pricer.dispatch(layer, &whole, &software);
        // Two rows of each of 4,096 tokens, on every one of the four.
        let (group, bytes) = (Group { ranks: 4, local: 4 }, 2.0 * 4096.0 * 1024.0 * 2.0);
        let links = pricer.links();
        let gather = links.seconds(Kind::AllGather, group, bytes);
        let expected = 2.0 * (gather + links.seconds(Kind::ReduceScatter, group, bytes));
        assert!((more / expected - 1.0).abs() < 1e-9, "{more} {expected}");
    }

    #[test]
    fn whatever_the_mesh_of_experts_all_ranks_together_do_the_same_work_and_hold_the_same_weights() {
        let sizes = Sizes { experts: 8, top_k: 2, expert_intermediate: 512, ..Sizes::SMALL };
        let case = Case::new(sizes);
        // Whole blocks of rows everywhere.
        let (pricer, software) = (case.pricer(4096), case.software());
        let kind = pricer.kinds.iter().position(|k| k.0.feed_forward.moe().is_some()).unwrap();
        let of = |layout: &Layout| {
            let own = pricer.expert_programs(kind, layout, &software).unwrap().unwrap();
            let flops = own.forward.product_flops() + own.backward.product_flops();
            // A micro-batch of every data-parallel rank, so of fewer sequences where ranks share them.
            let sequences = layout.data as f64;
            let held = pricer.parameters(layout).1 * (layout.expert * layout.expert_tensor) as f64;
            (flops * layout.ranks() as f64 / sequences, held)
        };
        let expected = of(&LAYOUT);
        for (tensor, context) in [(1, 1), (2, 1), (4, 1), (2, 2), (1, 4)] {
            for (expert, expert_tensor) in [(8, 1), (4, 2), (2, 4), (1, 8), (4, 1), (2, 2)] {
                let data = 8 / tensor / context;
                let layout = Layout { data, tensor, context, expert, expert_tensor, ..LAYOUT };
                let found = of(&layout);
                // What concerns whole rows is done by all that share an expert; gates of rows are summed in blocks.
                let repeated = if expert_tensor > 1 { 0.01 } else { 1e-5 };
                assert!((found.0 / expected.0 - 1.0).abs() < repeated, "{layout:?}: {found:?} {expected:?}");
                assert!((found.1 / expected.1 - 1.0).abs() < 1e-9, "{layout:?}: {found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn rows_reach_as_many_domains_as_their_experts_lie_in() {
        assert!((expected_domains(8.0, 8.0, 4.0) - 4.0).abs() < 1e-12);
        assert!((expected_domains(8.0, 1.0, 4.0) - 1.0).abs() < 1e-12);
        let eight = expected_domains(256.0, 8.0, 8.0);
        assert!(eight > 5.2 && eight < 5.4, "{eight}");
    }
}
