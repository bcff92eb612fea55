//! The tables of a dispatch, from the host to every device.

use collegium_core::HostTensor;
use collegium_model::layers::Transport;
use collegium_model::layers::transport::Sizes;
use collegium_runtime::Backend;

use super::Groups;
use crate::TrainError;
use crate::engine::Env;

/// Uploads the tables that `transport` made, by group, rank of the group and table, under the names that the expert programs read.
///
/// # Errors
/// What the device says.
pub fn upload(
    tables: &[Vec<Vec<HostTensor>>],
    transport: &dyn Transport,
    sizes: &Sizes,
    groups: &Groups,
    backend: &dyn Backend,
) -> Result<Env, TrainError> {
    let mut env = Env::default();
    for (at, input) in transport.inputs(sizes).iter().enumerate() {
        let piece = |&(group, member): &(usize, usize)| tables[group][member][at].clone();
        let pieces: Vec<HostTensor> = groups.places().iter().map(piece).collect();
        env = env.with(input.name, backend.upload(&pieces)?);
    }
    Ok(env)
}
