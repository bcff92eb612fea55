//! Grouped products and composite operations as typed FFI custom calls to the CPU kernels of this process.

use std::fmt::Write;

use collegium_core::DType;

use super::{Writer, tensor};
use crate::{Composite, Name, Node, Shape, dim};

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
/// Custom-call target of what slots hold of experts' shards.
pub const SLOT_SHARDS: &str = "collegium.slot_shards";
/// Custom-call target of sums over slots onto shards.
pub const SLOT_SUMS: &str = "collegium.slot_sums";
/// Custom-call target of the gradients of the inside of a gated feed-forward.
pub const SWIGLU_GRADIENT: &str = "collegium.swiglu_gradient";
/// Custom-call target of weighted sums of linked rows.
pub const GATHERED_SUM: &str = "collegium.gathered_sum";
/// Custom-call target of the experts' feed-forward.
pub const EXPERT_ROWS: &str = "collegium.expert_rows";
/// Custom-call target of the gradients inside it.
pub const EXPERT_ROWS_GRADIENT: &str = "collegium.expert_rows_gradient";
/// Custom-call target of the sum of two grouped products.
pub const GROUPED_DOT_SUM: &str = "collegium.grouped_dot_sum";
/// Custom-call target of sums of squares.
pub const SUM_OF_SQUARES: &str = "collegium.sum_of_squares";
/// Custom-call target of a step of AdamW.
pub const ADAMW: &str = "collegium.adamw";

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
        let count = self.program.results_used(node, what);
        let call = match self.calls.get(&key) {
            Some((call, _)) => call.clone(),
            None => {
                let shapes = what.shapes(&s.iter().collect::<Vec<_>>()).unwrap_or_default();
                let target = format!("collegium.{}", what.name());
                let attributes: Vec<String> =
                    what.attributes().iter().map(|(name, value)| format!("{name} = {value} : i64")).collect();
                let in_place: Vec<(usize, usize)> =
                    (0..what.num_in_place().min(count)).map(|i| (i, i)).collect();
                let call = self.name();
                let attributes = (&*target, &*attributes.join(", "));
                self.named_call(&call, attributes, (x, s), &shapes[..count], &in_place);
                self.calls.insert(key, (call.clone(), 0));
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

    /// A product of bf16 sides: where both are matrices, a grouped product of one slot, whose kernel is twice as fast as XLA's.
    /// Others are made f32 first, which is exact: XLA's CPU client has no kernel for some of them.
    pub(super) fn narrow_dot(&mut self, x: &[String], s: &[Shape], contract: &[Name], y: &Shape) -> String {
        if let Some((left, right)) = matrices(s, contract) {
            return self.dense_call(x, left, right, y);
        }
        let f32s: Vec<Shape> = s.iter().map(|s| s.with_dtype(DType::F32)).collect();
        let x: Vec<String> = x.iter().zip(s).zip(&f32s).map(|((x, s), f)| self.convert(x, s, f)).collect();
        let wide = y.with_dtype(DType::F32);
        let product = self.dot(&x, &f32s, contract, &wide);
        self.convert(&product, &wide, y)
    }

    /// A product of few f32 rows with a large matrix, as when one token of a few sequences is decoded: the kernel reads the matrix once, with all threads.
    pub(super) fn few_rows_dot(
        &mut self,
        x: &[String],
        s: &[Shape],
        contract: &[Name],
        y: &Shape,
    ) -> Option<String> {
        const MOST_ROWS: usize = 64;
        const LEAST_WEIGHTS: usize = 1 << 15;
        if s.iter().any(|s| s.dtype != DType::F32) || s[1].num_elements() < LEAST_WEIGHTS {
            return None;
        }
        let (left, right) = matrices(s, contract)?;
        let few = left.contracts_last && right.contracts_last && left.sizes[0] <= MOST_ROWS;
        few.then(|| self.dense_call(x, left, right, y))
    }

    /// The product of two matrices by the kernels of grouped products.
    fn dense_call(&mut self, x: &[String], left: Matrix, right: Matrix, y: &Shape) -> String {
        let slot = self.line("stablehlo.constant dense<0> : tensor<1xi32>");
        let slots = Shape::new(DType::I32, &[dim("block", 1)]);
        let dtype = left.from.dtype;
        let one =
            |m: &Matrix| Shape::new(dtype, &[dim("slot", 1), dim("a", m.sizes[0]), dim("b", m.sizes[1])]);
        let rows = |m: &Matrix| Shape::new(dtype, &[dim("a", m.sizes[0]), dim("b", m.sizes[1])]);
        let (target, attributes, shapes, out) = if left.contracts_last {
            let transposed = i64::from(right.contracts_last);
            let columns = right.sizes[usize::from(!right.contracts_last)];
            let out = vec![dim("row", left.sizes[0]), dim("column", columns)];
            (GROUPED_DOT, format!("weights_transposed = {transposed} : i64"), [rows(&left), one(&right)], out)
        } else {
            let out = vec![dim("slot", 1), dim("row", left.sizes[1]), dim("column", right.sizes[1])];
            (GROUPED_OUTER, String::new(), [rows(&left), rows(&right)], out)
        };
        let given =
            [self.reshape(&x[0], &left.from, &shapes[0]), self.reshape(&x[1], &right.from, &shapes[1]), slot];
        let [a, b] = shapes;
        // Sums over slots are f32, results of rows may be what the program wants.
        let dtype = if left.contracts_last { y.dtype } else { DType::F32 };
        let out = Shape::new(dtype, &out);
        let product =
            self.custom_call(target, &attributes, &given, &[a, b, slots], std::slice::from_ref(&out));
        let found = y.with_dtype(dtype);
        let product = self.reshape(&product, &out, &found);
        self.convert(&product, &found, y)
    }

    fn convert(&mut self, x: &str, from: &Shape, to: &Shape) -> String {
        if from.dtype == to.dtype {
            return x.to_string();
        }
        self.line(&format!("stablehlo.convert {x} : ({}) -> {}", tensor(from), tensor(to)))
    }

    fn reshape(&mut self, x: &str, from: &Shape, to: &Shape) -> String {
        if from.sizes() == to.sizes() {
            return x.to_string();
        }
        self.line(&format!("stablehlo.reshape {x} : ({}) -> {}", tensor(from), tensor(to)))
    }

    fn custom_call(
        &mut self,
        target: &str,
        attributes: &str,
        x: &[String],
        s: &[Shape],
        y: &[Shape],
    ) -> String {
        let name = self.name();
        self.named_call(&name, (target, attributes), (x, s), y, &[]);
        name
    }

    /// A call called `name`, of a target with its attributes, on operands. For every pair of an operand and a result of `in_place` the result lies where the operand did.
    pub(super) fn named_call(
        &mut self,
        name: &str,
        (target, attributes): (&str, &str),
        (x, s): (&[String], &[Shape]),
        y: &[Shape],
        in_place: &[(usize, usize)],
    ) {
        let alias = |&(operand, result): &(usize, usize)| {
            let place = if y.len() == 1 { String::new() } else { format!("{result}") };
            format!(
                "#stablehlo.output_operand_alias<output_tuple_indices = [{place}], operand_index = {operand}, operand_tuple_indices = []>"
            )
        };
        let aliases: Vec<String> = in_place.iter().map(alias).collect();
        let aliases = match aliases.is_empty() {
            true => String::new(),
            false => format!(", output_operand_aliases = [{}]", aliases.join(", ")),
        };
        let types: Vec<String> = s.iter().map(tensor).collect();
        let results: Vec<String> = y.iter().map(tensor).collect();
        let results =
            if let [one] = &results[..] { one.clone() } else { format!("({})", results.join(", ")) };
        let count = if y.len() == 1 { String::new() } else { format!(":{}", y.len()) };
        let _ = writeln!(
            self.out,
            "    {name}{count} = stablehlo.custom_call @{target}({}) {{api_version = 4 : i32, backend_config = {{{attributes}}}{aliases}}} : ({}) -> {}",
            x.join(", "),
            types.join(", "),
            results
        );
    }
}

/// One side of a product as a matrix.
struct Matrix {
    from: Shape,
    sizes: [usize; 2],
    /// Whether the contracted dims come last in memory, or first.
    contracts_last: bool,
}

/// Both sides as matrices, where they are such, and the kernels have their order; empty products are not theirs.
fn matrices(s: &[Shape], contract: &[Name]) -> Option<(Matrix, Matrix)> {
    let has_batch = s[0].dims.iter().any(|d| s[1].has(d.name) && !contract.contains(&d.name));
    if has_batch || s.iter().any(|s| s.num_elements() == 0) {
        return None;
    }
    let (left, right) = (matrix(&s[0], contract)?, matrix(&s[1], contract)?);
    (left.contracts_last || !right.contracts_last).then_some((left, right))
}

fn matrix(shape: &Shape, contract: &[Name]) -> Option<Matrix> {
    let names: Vec<Name> = shape.dims.iter().map(|d| d.name).collect();
    let free = names.len() - contract.len();
    let size = |range: std::ops::Range<usize>| shape.dims[range].iter().map(|d| d.size).product::<usize>();
    let (at, contracts_last) = match (names.ends_with(contract), names.starts_with(contract)) {
        (true, _) => (free, true),
        (false, true) => (contract.len(), false),
        _ => return None,
    };
    Some(Matrix { from: shape.clone(), sizes: [size(0..at), size(at..names.len())], contracts_last })
}
