//! Layers as functions on a graph: no state, weights are values. Dims are `batch`, `seq` (their product is `token`),
//! `hidden`, `head`, `head_dim`, `expert`, `choice` (the k experts of a token), `slot`, `vocab`.

mod attention;
mod cells;
mod embedding;
mod experts;
mod feed_forward;
mod head;
mod linear;
mod norm;
mod placement;
mod retention;
mod rope;
mod router;
mod sent;
pub mod transport;

pub use attention::{Attention, Cache, attention};
pub use cells::{Addressing, Order, experts, served_experts};
pub use embedding::embed;
pub use experts::{ExpertWeights, expert_rows, picked_experts};
pub use feed_forward::{Projection, feed_forward};
pub use head::logits;
pub use linear::linear;
pub use norm::rms_norm;
pub use placement::{Placed, PlanAhead, Room, place};
pub use retention::{IMPORTANCE, NEAR, POOLED, retention};
pub use rope::Rotation;
pub use router::{Routing, route, route_to};
pub use transport::{EXPERT_AXIS, NODE_AXIS, Routed, Transport, group_axes};

use collegium_core::DType;

/// The element type products of this type accumulate in.
pub(crate) fn widened(dtype: DType) -> DType {
    if matches!(dtype, DType::Bf16 | DType::F16) { DType::F32 } else { dtype }
}
