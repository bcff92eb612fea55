//! How long a collective takes: curves where they were measured, formulas beyond.
//!
//! `bytes` is the buffer as nccl-tests counts it: what every rank holds of an all-reduce, the gathered result of an all-gather, the whole
//! input of a reduce-scatter or an all-to-all.
//!
//! - *Inside a fast domain*: seconds at a few sizes and numbers of ranks, interpolated in the logarithms of both. One straight line
//!   (latency plus bytes over bandwidth) misses measured curves by 7 to 27 %. Beyond the largest measured size the last
//!   bandwidth holds; beyond the largest number of ranks, bytes on the wire follow the algorithm and latency the logarithm.
//! - *A torus*: links serve their neighbours, so an all-to-all moves `bytes / 4` ring lengths through two directions of each dimension.
//! - *Across domains* of g ranks each: the two-level algorithm (reduce-scatter inside, exchange between domains on g rails, gather inside).
//!   The levels are pipelined; what does not hide is the latency and, where two instances were measured, their curve.

mod check;
mod curve;

pub use check::{CollectiveReport, CollectiveRow, check, fit};
pub use curve::{Curve, KNOTS};

use serde::Deserialize;

use crate::device::{Device, Topology};
use crate::instance::Instance;

/// Kinds of collectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Every rank gets the sum.
    AllReduce,
    /// Every rank gets all pieces.
    AllGather,
    /// Every rank gets its piece of the sum.
    ReduceScatter,
    /// Every rank sends a piece to every other.
    AllToAll,
    /// Every rank sends all to one other.
    Shift,
}

impl Kind {
    /// All kinds with the names of operations and of measurements.
    pub const ALL: [(&'static str, Self); 5] = [
        ("all_reduce", Self::AllReduce),
        ("all_gather", Self::AllGather),
        ("reduce_scatter", Self::ReduceScatter),
        ("all_to_all", Self::AllToAll),
        ("ring_shift", Self::Shift),
    ];

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "alltoall" { "all_to_all" } else { name };
        Self::ALL.iter().find(|k| k.0 == name).map(|k| k.1)
    }

    /// Bytes that one of `ranks` sends, for each byte of the buffer.
    pub fn wire(self, ranks: f64) -> f64 {
        let share = (ranks - 1.0) / ranks;
        match self {
            Self::AllReduce => 2.0 * share,
            Self::Shift => 1.0,
            _ => share,
        }
    }
}

/// The links of one cluster: its devices and the network between their domains.
#[derive(Clone, Copy)]
pub struct Links<'a> {
    /// The devices.
    pub device: &'a Device,
    /// Where they are.
    pub instance: &'a Instance,
}

/// Ranks of one collective: how many, and how many of them share a fast domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// All of them.
    pub ranks: usize,
    /// Those in one domain.
    pub local: usize,
}

impl Group {
    /// A group of `ranks`, each `stride` devices from the next, in domains of `domain` devices.
    pub fn strided(ranks: usize, stride: usize, domain: usize) -> Self {
        let local = (domain / stride.max(1)).clamp(1, ranks.max(1));
        // Equal shares: a domain that a group does not fill evenly counts as the largest divisor.
        let local = (1..=local).rev().find(|l| ranks.is_multiple_of(*l)).unwrap_or(1);
        Self { ranks, local }
    }
}

impl Links<'_> {
    /// Seconds of a collective over `group` with a buffer of `bytes`.
    pub fn seconds(&self, kind: Kind, group: Group, bytes: f64) -> f64 {
        if group.ranks <= 1 || bytes <= 0.0 {
            return 0.0;
        }
        let nodes = group.ranks / group.local;
        if nodes <= 1 {
            return self.inside(kind, group.local, bytes);
        }
        self.across(kind, group.local, nodes, bytes)
    }

    /// Inside one domain.
    fn inside(&self, kind: Kind, ranks: usize, bytes: f64) -> f64 {
        let link = &self.device.link;
        if let Some(seconds) = curve::lookup(&link.curves, kind, ranks, bytes) {
            return seconds;
        }
        let ranks = ranks as f64;
        let bandwidth = link.bandwidth.get().unwrap_or(f64::INFINITY) * link.share;
        let latency = link.latency.get().unwrap_or(0.0);
        let reach = match (link.topology, kind) {
            // Average hop a quarter of the ring, in two directions; small groups use the links towards each other only.
            (Topology::Torus, Kind::AllToAll) => (ranks.sqrt() / 4.0).max(1.0) * self.torus_share(ranks),
            (Topology::Torus, _) => self.torus_share(ranks),
            _ => 1.0,
        };
        // All cores of a device send to all others at once, over the same links, but for what stays on the device.
        let cores = self.device.cores as f64;
        let sent = match kind {
            Kind::AllToAll => kind.wire(ranks).max(cores * (ranks - cores) / ranks),
            _ => kind.wire(ranks),
        };
        latency * steps(kind, ranks) + sent * bytes * reach / bandwidth
    }

    /// How much fewer links a small group on a torus of four neighbours uses.
    fn torus_share(&self, ranks: f64) -> f64 {
        let chips = (ranks / self.device.cores as f64).max(1.0);
        (4.0 / (2.0 * (chips.log2().max(1.0))).min(4.0)).max(1.0)
    }

    /// Bytes a second that one rank sends to other domains while all ranks of its device do.
    pub fn network_rate(&self) -> f64 {
        let network = &self.instance.network;
        network.bandwidth.get().unwrap_or(f64::INFINITY) * network.share / self.device.cores as f64
    }

    /// Two levels: `local` ranks in each of `nodes` domains.
    fn across(&self, kind: Kind, local: usize, nodes: usize, bytes: f64) -> f64 {
        let network = &self.instance.network;
        let rate = self.network_rate();
        let latency = network.latency.get().unwrap_or(0.0);
        let m = nodes as f64;
        let rounds = m.log2().max(1.0);
        let outside = match kind {
            // Of what a rank sends, the part for other domains goes out; it stays on its own rail.
            Kind::AllToAll => bytes * (m - 1.0) / m / rate,
            Kind::Shift => bytes / rate,
            _ => kind.wire(m) * bytes / local as f64 / rate,
        };
        let measured = (local == self.instance.domain * self.device.cores)
            .then(|| curve::lookup(&network.curves, kind, 2 * local, bytes))
            .flatten();
        if let Some(two) = measured {
            return (two + latency * (rounds - 1.0)).max(outside + latency * rounds);
        }
        let inner = match kind {
            Kind::AllToAll => self.inside(kind, local, bytes / m),
            Kind::Shift => 0.0,
            _ => self.inside(kind, local, bytes),
        };
        latency * rounds + outside.max(inner) + 0.25 * outside.min(inner)
    }
}

/// Latencies that one collective waits for.
fn steps(kind: Kind, ranks: f64) -> f64 {
    match kind {
        Kind::AllReduce => 2.0 * ranks.log2(),
        Kind::Shift => 1.0,
        _ => ranks.log2(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn ranks_of_one_device_share_its_way_out() {
        let catalog = Catalog::default();
        let instance = catalog.instance("trn2.48xlarge").unwrap();
        let device = catalog.device(&instance.device).unwrap();
        let links = Links { device, instance };
        // Four logical cores a chip, whose 25 GB/s reach 75 %.
        assert_eq!(links.network_rate(), 25e9 * 0.75 / 4.0);
        let shift = links.seconds(Kind::Shift, Group { ranks: 2, local: 1 }, 1e9);
        assert!((shift - 4.0 / (25.0 * 0.75)).abs() < 1e-3, "{shift}");
        // Inside, too, what the four send to other chips goes over the same links.
        let sent = |cores: usize| {
            let device = Device { cores, ..device.clone() };
            let links = Links { device: &device, instance };
            links.seconds(Kind::AllToAll, Group { ranks: 64, local: 64 }, 1e9)
        };
        assert!((sent(4) / sent(1) - 4.0 * 60.0 / 63.0).abs() < 0.01, "{} {}", sent(4), sent(1));
    }
}
