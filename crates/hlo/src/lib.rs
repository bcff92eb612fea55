//! Typed graphs with named dims: building with shape inference, reverse-mode differentiation, the split into forward
//! and backward programs, verification, StableHLO text, cost counts and the rules of each target.
//!
//! ```
//! use collegium_core::DType;
//! use collegium_hlo::{Graph, Mesh, dim};
//! let g = Graph::new(Mesh::single());
//! let x = g.parameter("x", DType::F32, &[dim("token", 4), dim("hidden", 8)]);
//! let w = g.parameter("w", DType::F32, &[dim("out", 3), dim("hidden", 8)]);
//! let program = g.finish("linear", &[("y", x.dot(w, &["hidden"]))]).unwrap();
//! assert!(program.to_stablehlo().contains("stablehlo.dot_general"));
//! ```

mod build;
mod chain;
mod composite;
mod cost;
mod error;
mod gradient;
mod graph;
pub mod lint;
mod mesh;
mod op;
mod shape;
mod split;
mod text;
mod verify;

pub use build::{MOST_DIVIDED, running_sum};
pub use chain::{Chain, ChainProgram, Source};
pub use composite::{
    ADAMW_HYPER, AdamW, Around, Composite, Links, PACKED_BLOCK, PACKED_LANES, Packed, PagedStep, Paging,
    masked_attention,
};
pub use cost::{Cost, Kernel, Traffic};
pub use error::GraphError;
pub use gradient::gradient;
pub use graph::{Graph, Node, NodeId, Program, Value};
pub use mesh::Mesh;
pub use op::{Binary, Bits, Compare, Op, Reduction, Unary};
pub use shape::{Dim, Name, Shape, dim};
pub use split::{ForwardBackward, Residuals, split};
pub use text::{
    ADAMW, ATTENTION, ATTENTION_GRADIENT, CHAIN, CROSS_ENTROPY, Dialect, EXPERT_ROWS, EXPERT_ROWS_GRADIENT,
    GATHERED_SUM, GROUPED_DOT, GROUPED_DOT_SUM, GROUPED_OUTER, SLOT_SHARDS, SLOT_SUMS, SUM_OF_SQUARES,
    SWIGLU_GRADIENT,
};
