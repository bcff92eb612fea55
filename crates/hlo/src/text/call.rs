//! Grouped products and composite operations as typed FFI custom calls to the CPU kernels of this process.

use std::fmt::Write;

use super::{Writer, tensor};
use crate::{Composite, Name, Node, Op, Shape};

/// Custom-call target of the grouped product.
pub const GROUPED_DOT: &str = "collegium.grouped_dot";
/// Custom-call target of its weight gradient.
pub const GROUPED_OUTER: &str = "collegium.grouped_outer";

/// Custom-call target of attention.
pub const ATTENTION: &str = "collegium.attention";
/// Custom-call target of its gradients.
pub const ATTENTION_GRADIENT: &str = "collegium.attention_gradient";
/// Custom-call target of the head's loss and its gradients.
pub const CROSS_ENTROPY: &str = "collegium.cross_entropy";

impl Writer<'_> {
    /// A result of a composite. The first result that is met writes the call, with as many results as the program uses: those
    /// behind the last one used are not asked for.
    pub(super) fn composite_call(
        &mut self,
        node: &Node,
        what: Composite,
        result: usize,
        x: &[String],
        s: &[Shape],
    ) -> String {
        let key = (what, node.inputs.clone());
        let used = |n: &Node| match n.op {
            Op::Composite { what: w, result } if w == what && n.inputs == node.inputs => result + 1,
            _ => 0,
        };
        let count = self.program.nodes.iter().map(used).max().unwrap_or(1);
        let call = match self.calls.get(&key) {
            Some(call) => call.clone(),
            None => {
                let shapes = what.shapes(&s.iter().collect::<Vec<_>>()).unwrap_or_default();
                let target = match what {
                    Composite::Attention { .. } => ATTENTION,
                    Composite::AttentionGradient { .. } => ATTENTION_GRADIENT,
                    Composite::CrossEntropy => CROSS_ENTROPY,
                };
                let call = self.custom_call(target, &what.attributes(), x, s, &shapes[..count]);
                self.calls.insert(key, call.clone());
                call
            }
        };
        if count == 1 { call } else { format!("{call}#{result}") }
    }

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
            std::slice::from_ref(y),
        )
    }

    pub(super) fn grouped_outer_call(&mut self, x: &[String], s: &[Shape], y: &Shape) -> String {
        self.custom_call(GROUPED_OUTER, "", x, s, std::slice::from_ref(y))
    }

    fn custom_call(
        &mut self,
        target: &str,
        attributes: &str,
        x: &[String],
        s: &[Shape],
        y: &[Shape],
    ) -> String {
        let types: Vec<String> = s.iter().map(tensor).collect();
        let results: Vec<String> = y.iter().map(tensor).collect();
        let results = if let [one] = &results[..] { one.clone() } else { format!("({})", results.join(", ")) };
        let name = self.name();
        let count = if y.len() == 1 { String::new() } else { format!(":{}", y.len()) };
        let _ = writeln!(
            self.out,

            "    {name}{count} = stablehlo.custom_call @{target}({}) {{api_version = 4 : i32, backend_config = {{{attributes}}}}} : ({}) -> {}",
            x.join(", "),
            types.join(", "),
            results
        );
        name
    }
}
