//! The programs of a layout in the plane of a roofline (Williams, Waterman and Patterson 2009): FLOPs a byte against FLOP/s.

use serde::Serialize;

use super::Pricer;
use crate::ClusterError;
use crate::layout::{Layout, Software};
use crate::roofline::Precision;
use crate::work::{Product, Work};

/// One program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgramPoint {
    /// Its name.
    pub program: &'static str,
    /// FLOPs of one run on one rank.
    pub flops: f64,
    /// Bytes that it reads and writes in memory.
    pub bytes: f64,
    /// Seconds that it is predicted to take, without collectives.
    pub seconds: f64,
}

/// What a rank can do, and what the programs of one micro-batch make of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Roofline {
    /// FLOP/s of the matrix engine by precision, those that the device has.
    pub peaks: Vec<(&'static str, f64)>,
    /// Bytes a second of memory.
    pub bandwidth: f64,
    /// Programs of the layers, forward and backward, and of the ends.
    pub programs: Vec<ProgramPoint>,
}

impl Pricer<'_> {
    /// The programs of `layout` (those of a sparse layer where there are such) and the roof above them.
    ///
    /// # Errors
    /// Sizes that do not fit together.
    pub fn roofline(&self, layout: &Layout, software: &Software) -> Result<Roofline, ClusterError> {
        let kind = self.kinds.iter().position(|k| k.0.feed_forward.moe().is_some()).unwrap_or(0);
        let local = self.local(layout, software);
        let rows = if software.sequence_parallel { layout.tensor as f64 } else { 1.0 };
        let block = self.block_programs(kind, local)?;
        let mut programs = vec![
            self.point("layer, forward", &block.forward, software, rows),
            self.point("layer, backward", &block.backward, software, rows),
        ];
        if let Some(experts) = self.expert_programs(kind, layout, software)? {
            programs.push(self.point("experts, forward", &experts.forward, software, 1.0));
            programs.push(self.point("experts, backward", &experts.backward, software, 1.0));
        }
        let ends = self.end_programs(local)?;
        programs.push(self.point("head", &ends.1, software, 1.0));
        programs.retain(|p| p.flops > 0.0 && p.bytes > 0.0);
        let peaks =
            Precision::ALL.iter().filter_map(|(name, p)| Some((*name, self.rank.own_peak(*p)?))).collect();
        Ok(Roofline { peaks, bandwidth: self.rank.bandwidth, programs })
    }

    fn point(&self, program: &'static str, work: &Work, software: &Software, rows: f64) -> ProgramPoint {
        let seconds = self.rank.seconds(work, software.precision, &software.kernels, rows);
        let inner = if software.kernels.fused_attention { 0.0 } else { work.attention_bytes };
        let moved = (work.row_bytes / rows + work.bytes + inner) * self.device.calibration.fusion;
        let products: f64 = work.products.iter().map(|p| Product::bytes(p) * p.count).sum();
        let addressed =
            if software.kernels.addressing { (work.address_flops, work.address_bytes) } else { (0.0, 0.0) };
        ProgramPoint {
            program,
            flops: work.product_flops() + work.attention_flops + addressed.0,
            bytes: products + moved + addressed.1,
            seconds: seconds.total(),
        }
    }
}
