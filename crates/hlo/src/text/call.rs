//! Grouped products as typed FFI custom calls to the CPU kernels of this process.

use super::{Writer, tensor};
use crate::{Name, Shape};

/// Custom-call target of the grouped product.
pub const GROUPED_DOT: &str = "collegium.grouped_dot";
/// Custom-call target of its weight gradient.
pub const GROUPED_OUTER: &str = "collegium.grouped_outer";

impl Writer<'_> {
    pub(super) fn grouped_dot_call(
        &mut self,
        x: &[String],
        s: &[Shape],
        contract: Name,
        y: &Shape,
    ) -> String {
        let transposed = s[1].position(contract) == Some(2);
        self.custom_call(
            GROUPED_DOT,
            &format!("weights_transposed = {} : i64", i64::from(transposed)),
            x,
            s,
            y,
        )
    }

    pub(super) fn grouped_outer_call(&mut self, x: &[String], s: &[Shape], y: &Shape) -> String {
        self.custom_call(GROUPED_OUTER, "", x, s, y)
    }

    fn custom_call(
        &mut self,
        target: &str,
        attributes: &str,
        x: &[String],
        s: &[Shape],
        y: &Shape,
    ) -> String {
        let types: Vec<String> = s.iter().map(tensor).collect();
        self.line(&format!(
            "stablehlo.custom_call @{target}({}) {{api_version = 4 : i32, backend_config = {{{attributes}}}}} : ({}) -> {}",
            x.join(", "),
            types.join(", "),
            tensor(y)
        ))
    }
}
