//! Seconds of a program's work on one rank.
//!
//! - A product takes the longer of its FLOPs over what the matrix engine reaches at its shape and its bytes over what memory reaches. What the engine
//!   reaches is its calibrated share, times how well tiles fill the product, times how well the tiles fill the units, times `k / (k + k_half)`
//!   for filling and draining the accumulators.
//! - Fused attention runs at a calibrated share of the bfloat16 peak; as it is written, its inner values go through memory.
//! - Element-wise work streams at a calibrated share of the bandwidth, after the fusion that compilers do beyond what the count assumes.

use serde::Serialize;

use crate::ClusterError;
use crate::device::Device;
use crate::work::{Product, Work};

/// What linear products are computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32 (on GPUs TF32).
    Float32,
    /// bf16.
    Bfloat16,
    /// Any 8-bit float.
    Float8,
    /// Any 4-bit float.
    Float4,
}

impl Precision {
    /// All precisions with the names of device files.
    pub const ALL: [(&'static str, Self); 4] = [
        ("float32", Self::Float32),
        ("bfloat16", Self::Bfloat16),
        ("float8", Self::Float8),
        ("float4", Self::Float4),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|p| p.1 == self).map_or("", |p| p.0)
    }
}

/// Seconds by what they go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Products outside attention.
    pub products: f64,
    /// Attention's products (and inner values, where they are written).
    pub attention: f64,
    /// Element-wise work and addressing.
    pub vector: f64,
    /// Gaps between kernels.
    pub launch: f64,
}

impl Seconds {
    /// All of them.
    pub fn total(&self) -> f64 {
        self.products + self.attention + self.vector + self.launch
    }

    /// The sum of two, the second `times` over.
    pub fn plus(self, other: Self, times: f64) -> Self {
        Self {
            products: self.products + times * other.products,
            attention: self.attention + times * other.attention,
            vector: self.vector + times * other.vector,
            launch: self.launch + times * other.launch,
        }
    }
}

/// What one rank (a GPU, a logical NeuronCore) does in a second.
#[derive(Clone, Debug)]
pub struct Rank<'a> {
    /// Its device, for the calibration.
    pub device: &'a Device,
    /// FLOP/s by precision; 0 where the device lacks it.
    matrix: [f64; 4],
    /// Bytes a second of memory.
    pub bandwidth: f64,
    /// Bytes of memory.
    pub memory: f64,
    /// Bytes that are not for tensors.
    pub reserved: f64,
}

impl<'a> Rank<'a> {
    /// One rank of a device.
    ///
    /// # Errors
    /// A device whose memory or matrix engine nobody has published.
    pub fn of(device: &'a Device) -> Result<Self, ClusterError> {
        let cores = device.cores as f64;
        let needed = |figure: &crate::Figure, what: &str| {
            figure.get().map(|v| v / cores).ok_or_else(|| ClusterError::NoFigure {
                device: device.name.clone(),
                figure: what.into(),
                note: figure.source.clone(),
            })
        };
        let matrix = Precision::ALL
            .map(|(name, _)| device.matrix.get(name).and_then(crate::Figure::get).unwrap_or(0.0) / cores);
        if matrix[1] == 0.0 {
            return Err(ClusterError::NoFigure {
                device: device.name.clone(),
                figure: "the bfloat16 rate of the matrix engine".into(),
                note: "no figure in its file".into(),
            });
        }
        Ok(Self {
            device,
            matrix,
            bandwidth: needed(&device.memory.bandwidth, "memory bandwidth")?,
            memory: needed(&device.memory.bytes, "memory size")?,
            reserved: device.memory.reserved.get().unwrap_or(0.0) / cores,
        })
    }

    /// Bytes of memory for tensors.
    pub fn room(&self) -> f64 {
        self.memory - self.reserved
    }

    /// FLOP/s of the peak in a precision; the next wider where the device lacks it.
    pub fn peak(&self, precision: Precision) -> f64 {
        (0..=precision as usize).rev().map(|i| self.matrix[i]).find(|p| *p > 0.0).unwrap_or(self.matrix[1])
    }

    /// FLOP/s of the peak in a precision that the device has.
    pub fn own_peak(&self, precision: Precision) -> Option<f64> {
        Some(self.matrix[precision as usize]).filter(|p| *p > 0.0)
    }

    /// Share of the peak that large products reach.
    fn share(&self, precision: Precision) -> f64 {
        let shares = &self.device.calibration.matrix_share;
        let known = |p: usize| (self.matrix[p] > 0.0).then(|| shares.get(Precision::ALL[p].0)).flatten();
        (0..=precision as usize).rev().find_map(known).copied().unwrap_or(0.5)
    }

    fn product(&self, p: &Product, precision: Precision) -> f64 {
        let c = &self.device.calibration;
        // An f32 product stays one; lower precision is for what is bf16 in the program.
        let precision = if p.element >= 4.0 { Precision::Float32 } else { precision };
        let tiles = |size: f64, tile: usize| (size / tile as f64).ceil().max(1.0);
        let (rows, columns) = (tiles(p.m, c.tile[0]), tiles(p.n, c.tile[1]));
        let filled = p.m / (rows * c.tile[0] as f64) * p.n / (columns * c.tile[1] as f64);
        let waves = p.batch * rows * columns / c.units as f64;
        let busy = waves / waves.ceil();
        let depth = p.k / (p.k + c.contraction_half);
        let reached = self.peak(precision) * self.share(precision) * filled * busy * depth;
        let bytes = p.bytes() / (self.bandwidth * c.memory_share);
        p.count * (p.flops() / p.count / reached).max(bytes)
    }

    /// Seconds of `work`, its rows {token, hidden} shared by `rows` ranks.
    pub fn seconds(&self, work: &Work, precision: Precision, how: &Kernels, rows: f64) -> Seconds {
        let c = &self.device.calibration;
        let stream = self.bandwidth * c.memory_share;
        let products = work.products.iter().map(|p| self.product(p, precision)).sum();
        let attention_rate = self.peak(Precision::Bfloat16) * c.attention_share;
        let attention = if how.fused_attention {
            work.attention_flops / attention_rate
        } else {
            work.attention_flops / attention_rate + work.attention_bytes * c.fusion / stream
        };
        let mut vector = (work.row_bytes / rows + work.bytes) * c.fusion / stream;
        if how.addressing {
            vector += work.address_bytes / stream
                + work.address_flops / (self.peak(Precision::Float32) * self.share(Precision::Float32));
        }
        Seconds { products, attention, vector, launch: work.kernels * c.fusion * c.launch }
    }
}

/// How kernels are written, which a count of operations does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels {
    /// Attention is one kernel whose inner values never reach memory.
    pub fused_attention: bool,
    /// Rows find their expert by the trainer's one-hot addressing (other software sorts, which costs next to nothing).
    pub addressing: bool,
}
