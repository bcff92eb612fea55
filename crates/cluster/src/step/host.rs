//! What the host beside the devices costs: batches that it reads and makes, masters and moments that lie in its memory.

use super::Pricer;
use crate::layout::{Layout, Software};

/// Share of a host's memory that may hold masters and moments; the rest is the operating system's, the data's and the program's. Assumed.
const FOR_STATE: f64 = 0.9;
/// Bytes of text a token stands for: Llama 3's tokenizer on English (2407.21783, 3.2).
const TEXT_OF_TOKEN: f64 = 3.94;

impl Pricer<'_> {
    /// Ranks of one instance.
    pub(crate) fn instance_ranks(&self) -> usize {
        self.instance.devices * self.device.cores
    }

    /// Bytes of host memory that one rank's masters and moments may take; none where the host's memory or the way to it is unknown.
    pub(crate) fn room_on_host(&self) -> Option<f64> {
        let host = &self.instance.host;
        host.link.get()?;
        Some(FOR_STATE * host.memory.get()? / self.instance_ranks() as f64)
    }

    /// Seconds in which every rank takes so many bytes from host memory and gives so many to it. Links carry both ways at once; the host's memory,
    /// where its rate is known, serves both ways of all ranks. Without end where the link is unknown.
    pub(crate) fn crossing(&self, taken: f64, given: f64) -> f64 {
        let host = &self.instance.host;
        let link = host.link.get().map_or(0.0, |rate| rate / self.device.cores as f64);
        let all = (taken + given) * self.instance_ranks() as f64;
        let memory = host.bandwidth.get().map_or(0.0, |rate| all / rate);
        (taken.max(given) / link).max(memory)
    }

    /// Seconds that the host of an instance needs for the batch of a step: reading it, and making tokens of text where the run does that. A rate that
    /// is unknown counts nothing; the answer says so. Ranks that share a sequence read it once an instance.
    pub(super) fn loading(&self, layout: &Layout, software: &Software) -> f64 {
        let sharers = layout.tensor * layout.context;
        let fed = (self.instance_ranks() / sharers).clamp(1, layout.data);
        let tokens = (fed * layout.micro_batch * layout.micro_batches * self.seq) as f64;
        let seconds = |bytes: f64, rate: Option<f64>| rate.map_or(0.0, |r| tokens * bytes / r);
        let storage = self.instance.storage.get();
        if software.feed.text {
            // One thread reads while the others tokenise.
            let tokenised = seconds(TEXT_OF_TOKEN, self.instance.host.tokenise.get());
            seconds(TEXT_OF_TOKEN, storage).max(tokenised)
        } else {
            // As token files are written: narrow where the vocabulary is small.
            seconds(if self.model.config.vocab_size <= 1 << 16 { 2.0 } else { 4.0 }, storage)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::figure::Figure;
    use crate::layout::{Feed, Recompute, Sharding};
    use crate::model::{PlanModel, Sizes};
    use crate::schedule::Schedule;
    use crate::step::case::Case;

    const LAYOUT: Layout = Layout {
        data: 4,
        tensor: 2,
        context: 1,
        pipeline: 1,
        virtual_stages: 1,
        schedule: Schedule::OneForwardOneBackward,
        expert: 4,
        expert_tensor: 1,
        clones: 0,
        micro_batch: 2,
        micro_batches: 3,
        recompute: Recompute::SaveEverything,
        sharding: Sharding::Gradients,
        offload: false,
    };

    fn with<T>(what: impl Fn(&mut crate::Instance), ask: impl Fn(&Pricer<'_>, &Software) -> T) -> T {
        let mut case = Case::new(Sizes::SMALL);
        what(&mut case.instance);
        ask(&case.pricer(256), &case.software())
    }

    fn rate(value: f64) -> Figure {
        Figure { value: Some(value), ..Figure::default() }
    }

    #[test]
    fn state_on_the_host_leaves_the_device_and_crosses_the_link_both_ways() {
        let slow = |i: &mut crate::Instance| {
            i.host.link = rate(1e9);
            i.host.bandwidth = rate(1e12);
        };
        with(slow, |pricer, software| {
            let away = Layout { offload: true, ..LAYOUT };
            let (here, there) =
                (pricer.price(&LAYOUT, software).unwrap(), pricer.price(&away, software).unwrap());
            // Eight ranks share everything but the tensor degree of what is beside experts.
            let state = here.memory.optimizer;
            assert_eq!((here.memory.host, there.memory.host), (0.0, state));
            let layers = pricer.model.config.num_layers as f64;
            assert!((there.memory.optimizer - (2.0 / layers).min(1.0) * state).abs() < 1.0);
            assert!((there.parts.optimizer - state / 1e9).abs() < 1e-12, "one way, the other beside it");
            assert!(here.parts.optimizer < there.parts.optimizer);
            let others = |p: crate::Parts| p.total() - p.optimizer - p.straggle;
            assert!((others(here.parts) - others(there.parts)).abs() < 1e-12);
        });
        // Eight devices at 50 GB/s each way want more than 100 GB/s of memory gives.
        let crowded = |i: &mut crate::Instance| {
            i.host.link = rate(5e10);
            i.host.bandwidth = rate(1e11);
        };
        let seconds = with(crowded, |pricer, _| pricer.crossing(1e9, 1e9));
        assert!((seconds - 16e9 / 1e11).abs() < 1e-12, "{seconds}");
    }

    #[test]
    fn deepseek_v3_on_gb200_takes_as_long_as_published() {
        // 15 to 20 GB a device there and back add 0.1 to 0.2 s a step: NVIDIA/Megatron-LM pull request 2760.
        let catalog = Catalog::default();
        let instance = catalog.instance("gb200-nvl72").unwrap();
        let device = catalog.device(&instance.device).unwrap();
        let model = PlanModel::plain("test", Sizes::SMALL.config().unwrap());
        let pricer = Pricer::new(&model, device, instance, 256).unwrap();
        let seconds = [15e9, 20e9].map(|bytes| pricer.crossing(bytes, bytes));
        assert!(seconds[0] > 0.1 && seconds[1] < 0.2, "{seconds:?}");
    }

    #[test]
    fn batches_that_no_work_hides_are_waited_for() {
        let slow = |i: &mut crate::Instance| {
            i.storage = rate(1e5);
            i.host.tokenise = rate(2e4);
        };
        with(slow, |pricer, software| {
            // Four data ranks of two ranks each fill the instance: 4 x 2 x 3 sequences of 256 tokens, two bytes each of a small vocabulary.
            let tokens = 4.0 * 2.0 * 3.0 * 256.0;
            let width = if pricer.model.config.vocab_size <= 1 << 16 { 2.0 } else { 4.0 };
            let parts = |text, ahead| {
                let software = Software { feed: Feed { text, ahead }, ..*software };
                pricer.simulate(&LAYOUT, &software).unwrap().parts
            };
            let plain = parts(false, false);
            assert!((plain.loading - tokens * width / 1e5).abs() < 1e-9, "{}", plain.loading);
            let text = parts(true, false);
            assert!((text.loading - tokens * 3.94 / 2e4).abs() < 1e-9, "{}", text.loading);
            let ahead = parts(true, true);
            let work = ahead.total() - ahead.loading;
            assert!(
                (ahead.loading - (text.loading - work).max(0.0)).abs() < 1e-9,
                "only what work does not hide"
            );
            assert!(ahead.loading > 0.0 && ahead.total() < text.total());
        });
        let fast = with(
            |i| i.storage = rate(1e12),
            |pricer, software| {
                let software = Software { feed: Feed { text: false, ahead: true }, ..*software };
                pricer.simulate(&LAYOUT, &software).unwrap().parts.loading
            },
        );
        assert_eq!(fast, 0.0);
    }

    #[test]
    fn nothing_is_put_where_the_way_is_unknown() {
        let unknown = |i: &mut crate::Instance| i.host.link = Figure::default();
        assert_eq!(with(unknown, |pricer, _| pricer.room_on_host()), None);
        let known = |i: &mut crate::Instance| {
            i.host.link = rate(5e10);
            i.host.memory = rate(8e11);
        };
        assert_eq!(with(known, |pricer, _| pricer.room_on_host()), Some(0.9e11));
    }
}
