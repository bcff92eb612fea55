//! The operations a user writes, with shape inference by dim name.

mod collective;
mod elementwise;
pub(crate) mod layout;
pub(crate) mod product;
mod rounding;
mod rows;

pub use elementwise::MOST_DIVIDED;
pub use product::running_sum;
