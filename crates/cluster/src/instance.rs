//! What a cluster is made of: instances, their fast domains, the network between them, and what an hour costs.

use serde::{Deserialize, Serialize};

use crate::collective::Curve;
use crate::device::Device;
use crate::figure::Figure;

/// One instance type (or rack, where that is what is rented), as its file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Name, as the cloud calls it.
    pub name: String,
    /// In words.
    pub title: String,
    /// Name of its device.
    pub device: String,
    /// Devices of one instance.
    pub devices: usize,
    /// Devices that share fast links; more than one instance's where links join instances.
    pub domain: usize,
    /// The network between fast domains.
    pub network: Network,
    /// Watts of everything in an instance but its devices, and what idles.
    pub host_power: Figure,
    /// Power drawn at the wall for each watt of the machines.
    pub pue: Figure,
    /// Bytes a second that one instance reads and writes files with: checkpoints, training data.
    pub storage: Figure,
    /// The host beside the devices; unknown where nothing is said.
    #[serde(default)]
    pub host: Host,
    /// Hours between failures of one instance.
    pub hours_between_failures: Figure,
    /// Prices, newest last.
    #[serde(default)]
    pub price: Vec<Price>,
}

/// What feeds the devices of one instance, and holds what they have no room for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Host {
    /// Bytes of its memory.
    pub memory: Figure,
    /// Bytes a second that go into and out of this memory together.
    pub bandwidth: Figure,
    /// Bytes a second from it to one device, with as many on the way back.
    pub link: Figure,
    /// Bytes of text a second that all its cores turn into tokens.
    pub tokenise: Figure,
}

/// The network between fast domains.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// In words.
    pub fabric: String,
    /// Bytes a second that one device sends.
    pub bandwidth: Figure,
    /// Seconds of one step between domains.
    pub latency: Figure,
    /// Share of the bandwidth that long messages reach.
    pub share: f64,
    /// Curves measured over two instances with all their devices.
    #[serde(default)]
    pub curves: Vec<Curve>,
}

/// What an hour of an instance cost on some day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// `on_demand`, `capacity_block`, `reserved` or `spot`.
    pub kind: String,
    /// Dollars.
    pub usd_per_hour: f64,
    /// When that was so.
    pub date: String,
    /// Where.
    #[serde(default)]
    pub region: String,
    /// Who says so.
    pub source: String,
}

impl Instance {
    /// Watts at the wall of so many instances whose devices are at work for a share of the time; none where a power is unknown.
    pub fn watts(&self, device: &Device, instances: usize, busy: f64) -> Option<f64> {
        let (idle, max) = (device.power.idle.value?, device.power.max.value?);
        let devices = (idle + (max - idle) * busy) * self.devices as f64;
        Some((devices + self.host_power.value?) * instances as f64 * self.pue.value?)
    }

    /// The newest price of a kind, or of any kind: capacity blocks first, which is how these are sold.
    pub fn price_of(&self, kind: Option<&str>) -> Option<&Price> {
        let newest = |k: &str| self.price.iter().filter(|p| p.kind == k).max_by(|a, b| a.date.cmp(&b.date));
        match kind {
            Some(kind) => newest(kind),
            None => ["capacity_block", "on_demand", "reserved", "spot"].iter().find_map(|k| newest(k)),
        }
    }
}
