//! The tables of a dispatch, from the host to every device.

use collegium_balance::{Bucket, Tables};
use collegium_core::HostTensor;
use collegium_runtime::Backend;

use super::Groups;
use crate::TrainError;
use crate::engine::Env;

/// Uploads the tables of every group, under the names that the expert programs read.
///
/// # Errors
/// What the device says.
pub fn upload(
    tables: &[Tables],
    bucket: Bucket,
    block: usize,
    experts: usize,
    groups: &Groups,
    backend: &dyn Backend,
) -> Result<Env, TrainError> {
    let ranks = groups.ranks();
    let upload = |make: &dyn Fn(&Tables, usize) -> HostTensor| {
        let piece = |&(group, member): &(usize, usize)| make(&tables[group], member);
        backend.upload(&groups.places().iter().map(piece).collect::<Vec<_>>())
    };
    let sizes = [experts, ranks];
    let env = Env::default()
        .with("first", upload(&|t, m| HostTensor::new(&sizes, &t.sources[m].first))?)
        .with("offset", upload(&|t, m| HostTensor::new(&sizes, &t.sources[m].offset))?)
        .with("block_slot", upload(&|t, m| HostTensor::new(&[bucket.blocks], &t.receivers[m].block_slot))?);
    if ranks == 1 {
        return Ok(env);
    }
    let (rows, cells) = (bucket.blocks * block, ranks * bucket.places);
    Ok(env
        .with("row_source", upload(&|t, m| HostTensor::new(&[rows], &t.receivers[m].row_source))?)
        .with("cell_target", upload(&|t, m| HostTensor::new(&[cells], &t.receivers[m].cell_target))?))
}
