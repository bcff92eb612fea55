//! What a device is: a data file under `data/devices`, every figure with its source.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::collective::Curve;
use crate::figure::Figure;

/// One accelerator (on Trainium: a chip), as its file describes it. Rates are per second, sizes in bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Short name.
    pub name: String,
    /// Full name.
    pub title: String,
    /// `cuda`, `neuron` or `cpu`: what the trainer calls the platform.
    pub platform: String,
    /// Other names, as measurements call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Devices of one PJRT client per accelerator: logical cores of a Trainium chip.
    #[serde(default = "one")]
    pub cores: usize,
    /// Device memory.
    pub memory: Memory,
    /// Dense FLOP/s of the matrix engine by element type: `float32`, `bfloat16`, `float8`, `float4`.
    pub matrix: BTreeMap<String, Figure>,
    /// Watts.
    pub power: Power,
    /// Links inside the fast domain.
    pub link: Link,
    /// What programs reach of all that.
    pub calibration: Calibration,
}

/// Device memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Bytes there are.
    pub bytes: Figure,
    /// Bytes a second.
    pub bandwidth: Figure,
    /// Bytes that runtime, communication buffers and fragmentation take.
    pub reserved: Figure,
}

/// Watts of one device.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// While it waits.
    pub idle: Figure,
    /// The limit.
    pub max: Figure,
}

/// Links between the devices of a fast domain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// `switch`, `torus`, `none`.
    pub topology: Topology,
    /// Bytes a second that one device sends over all its links.
    pub bandwidth: Figure,
    /// Seconds of one step of a collective.
    pub latency: Figure,
    /// Share of the bandwidth that long messages reach, where no curve was measured.
    #[serde(default = "most")]
    pub share: f64,
    /// Measured curves; where there are none, formulas.
    #[serde(default)]
    pub curves: Vec<Curve>,
}

/// How the devices of a fast domain are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Every device reaches every other at full rate.
    Switch,
    /// A ring in each of two dimensions; a link serves its own neighbour only.
    Torus,
    /// One device.
    None,
}

/// What programs reach of the peaks: one set for a device type, fitted as its file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What these were fitted to, in words.
    pub source: String,
    /// Beginnings of the ids of the measurements they were fitted to; none where they are not fitted.
    #[serde(default)]
    pub fitted_to: Vec<String>,
    /// The device whose constants these are, where nothing was measured on this one.
    #[serde(default)]
    pub like: Option<String>,
    /// Share of that device's matrix share: less where the power limit is lower.
    #[serde(default = "whole")]
    pub like_share: f64,
    /// Share of the matrix peak that large products reach, by element type.
    pub matrix_share: BTreeMap<String, f64>,
    /// Rows and columns of the tile of a product that one unit computes.
    pub tile: [usize; 2],
    /// Units that compute tiles at the same time.
    pub units: usize,
    /// Contraction length at which a product reaches half of its share.
    pub contraction_half: f64,
    /// Share of the matrix peak (bfloat16) that fused attention reaches forward.
    pub attention_share: f64,
    /// Share of the memory bandwidth that element-wise kernels reach.
    pub memory_share: f64,
    /// Bytes of an element-wise kernel that the compilers' fusion leaves, of those that the program counts.
    pub fusion: f64,
    /// Seconds between kernels that the device idles.
    pub launch: f64,
    /// Seconds that every execution of a program with a collective waits for its barrier.
    #[serde(default)]
    pub barrier: f64,
    /// Share of the gradient and weight traffic of data parallelism that hides behind products.
    pub overlap_data: f64,
    /// Share of the tensor-parallel traffic that hides.
    pub overlap_tensor: f64,
    /// Share of the expert dispatch that hides.
    pub overlap_expert: f64,
    /// Share of a step that goes to what the model does not see: host, data, stragglers; per doubling of the devices beyond one
    /// instance.
    pub straggle_per_doubling: f64,
    /// Share of the step's bytes of memory (optimizer state) at which the update streams.
    #[serde(default = "most")]
    pub update_share: f64,
    /// Relative spread of predictions for dense models: eight of ten measurements of a publication that was left out of the fit lie
    /// within it.
    pub spread: f64,
    /// The same for models with experts.
    pub spread_sparse: f64,
}

impl Calibration {
    /// The relative spread for a model.
    pub fn spread_of(&self, sparse: bool) -> f64 {
        if sparse { self.spread_sparse } else { self.spread }
    }

    /// Whether the constants were fitted to the measurement `id`.
    pub fn knows(&self, id: &str) -> bool {
        self.fitted_to.iter().any(|start| id.starts_with(start.as_str()))
    }
}

fn whole() -> f64 {
    1.0
}

fn one() -> usize {
    1
}

fn most() -> f64 {
    0.8
}
