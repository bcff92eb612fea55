//! The tables of a dispatch, from the host to every device.

use collegium_balance::{Bucket, Plan, Tables};
use collegium_core::HostTensor;
use collegium_model::programs::TransportKind;
use collegium_runtime::Backend;

use super::Groups;
use crate::TrainError;
use crate::engine::Env;

/// Sizes of the tables.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// What the programs have room for.
    pub bucket: Bucket,
    /// Rows of a block.
    pub block: usize,
    /// Experts of the layer.
    pub experts: usize,
}

/// Uploads the tables of every group, under the names that the expert programs read.
///
/// # Errors
/// What the device says.
pub fn upload(
    plans: &[Plan],
    tables: &[Tables],
    sizes: Sizes,
    transport: TransportKind,
    groups: &Groups,
    backend: &dyn Backend,
) -> Result<Env, TrainError> {
    let (ranks, Sizes { bucket, block, experts }) = (groups.ranks(), sizes);
    let upload = |make: &dyn Fn(usize, usize) -> HostTensor| {
        let piece = |&(group, member): &(usize, usize)| make(group, member);
        backend.upload(&groups.places().iter().map(piece).collect::<Vec<_>>())
    };
    let table = [experts, ranks];
    let env = Env::default()
        .with("first", upload(&|g, m| HostTensor::new(&table, &tables[g].sources[m].first))?)
        .with("offset", upload(&|g, m| HostTensor::new(&table, &tables[g].sources[m].offset))?)
        .with(
            "block_slot",
            upload(&|g, m| HostTensor::new(&[bucket.blocks], &tables[g].receivers[m].block_slot))?,
        );
    if ranks == 1 {
        return Ok(env);
    }
    match transport {
        TransportKind::AllToAll => {
            let (rows, cells) = (bucket.blocks * block, ranks * bucket.places);
            let source = upload(&|g, m| HostTensor::new(&[rows], &tables[g].receivers[m].row_source))?;
            let target = upload(&|g, m| HostTensor::new(&[cells], &tables[g].receivers[m].cell_target))?;
            Ok(env.with("row_source", source).with("cell_target", target))
        }
        TransportKind::AllGather => {
            let own: Vec<Vec<Intervals>> = plans
                .iter()
                .zip(tables)
                .map(|(p, t)| (0..ranks).map(|m| Intervals::of(p, t, m, bucket)).collect())
                .collect();
            let table = [ranks, experts];
            let low = upload(&|g, m| HostTensor::new(&table, &own[g][m].low))?;
            let high = upload(&|g, m| HostTensor::new(&table, &own[g][m].high))?;
            let start = upload(&|g, m| HostTensor::new(&table, &own[g][m].start))?;
            Ok(env.with("low", low).with("high", high).with("start", start))
        }
    }
}

/// What one rank takes of every source's rows, `[source][expert]`: arrivals from `low` up to `high`, from expert row `start` on.
struct Intervals {
    low: Vec<f32>,
    high: Vec<f32>,
    start: Vec<f32>,
}

impl Intervals {
    fn of(plan: &Plan, tables: &Tables, rank: usize, bucket: Bucket) -> Self {
        let (ranks, experts) = (plan.num_ranks(), plan.num_experts());
        let none = || vec![0f32; ranks * experts];
        let mut own = Self { low: none(), high: none(), start: none() };
        for share in plan.shares().iter().filter(|s| s.rank.index() == rank) {
            let expert = share.expert.index();
            for source in 0..ranks {
                let rows = plan.rows(source, expert, rank);
                if rows == 0 {
                    continue;
                }
                let at = source * experts + expert;
                let table = &tables.sources[source];
                let cell = source * bucket.places + table.offset[expert * ranks + rank] as usize;
                own.low[at] = table.first[expert * ranks + rank];
                own.high[at] = own.low[at] + rows as f32;
                own.start[at] = tables.receivers[rank].cell_target[cell] as f32;
            }
        }
        own
    }
}
