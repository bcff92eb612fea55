//! Kernels behind untyped buffers: what a custom call of a program hands over, checked before any kernel sees it.
//!
//! Buffers come from a program text, which may be anything; a handler trusts no size in it. Every fault is an error
//! that names the argument, and nothing has been written then. The views are our own and minimal, so that this room
//! does not depend on how the runtime represents a call.

mod adamw;
mod chain;
mod composite;
#[cfg(test)]
mod frame;
mod grouped;
mod paged;
mod prepacked;
mod rows;
mod slots;

pub use adamw::adamw;
pub use chain::{Operand, Steps, chain};
pub use composite::{attention, attention_gradient, cross_entropy};
pub use grouped::{expert_rows, expert_rows_gradient, grouped_dot, grouped_dot_sum, grouped_outer};
pub use paged::{paged_step, paged_step_int8};
pub use prepacked::{packed_dot, packed_experts, rms_norm, route};
pub use rows::{gathered_sum, sum_of_squares, swiglu, swiglu_gradient, take_rows};
pub use slots::{slot_shards, slot_sums};

use bytemuck::{AnyBitPattern, NoUninit, try_cast_slice, try_cast_slice_mut};
use collegium_core::DType;

use crate::ArgumentError;
use crate::check::elements;

/// An operand of a custom call.
#[derive(Clone, Copy, Debug)]
pub struct BufferView<'a> {
    /// Element type.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub dims: &'a [i64],
    /// Elements, row-major.
    pub bytes: &'a [u8],
}

/// A result of a custom call.
#[derive(Debug)]
pub struct BufferViewMut<'a> {
    /// Element type.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub dims: &'a [i64],
    /// Elements, row-major, to be written.
    pub bytes: &'a mut [u8],
}

/// How many operands of a kernel, the first ones, are not shown to its handler: the results of the same number lie in their memory and hold their
/// values.
pub fn num_in_place(name: &str) -> usize {
    match name {
        "collegium.swiglu_gradient" => 1,
        "collegium.adamw" => 3,
        "collegium.paged_step" => 2,
        "collegium.paged_step_int8" => 4,
        _ => 0,
    }
}

/// Attributes of a custom call: names and integer values.
pub type Attributes<'a> = &'a [(&'a str, i64)];

/// A kernel as a custom call.
pub type Handler =
    fn(&[BufferView<'_>], &mut [BufferViewMut<'_>], Attributes<'_>) -> Result<(), ArgumentError>;

/// Every custom-call target of this room with its handler.
pub const HANDLERS: [(&str, Handler); 22] = [
    ("collegium.grouped_dot", grouped_dot),
    ("collegium.grouped_outer", grouped_outer),
    ("collegium.grouped_dot_sum", grouped_dot_sum),
    ("collegium.expert_rows", expert_rows),
    ("collegium.expert_rows_gradient", expert_rows_gradient),
    ("collegium.attention", attention),
    ("collegium.attention_gradient", attention_gradient),
    ("collegium.cross_entropy", cross_entropy),
    ("collegium.slot_shards", slot_shards),
    ("collegium.slot_sums", slot_sums),
    ("collegium.swiglu", swiglu),
    ("collegium.swiglu_gradient", swiglu_gradient),
    ("collegium.gathered_sum", gathered_sum),
    ("collegium.sum_of_squares", sum_of_squares),
    ("collegium.packed_dot", packed_dot),
    ("collegium.packed_experts", packed_experts),
    ("collegium.route", route),
    ("collegium.rms_norm", rms_norm),
    ("collegium.take_rows", take_rows),
    ("collegium.paged_step", paged_step),
    ("collegium.paged_step_int8", paged_step_int8),
    ("collegium.adamw", adamw),
];

type Counted<'x, 'a, 'b, const N: usize, const M: usize> =
    (&'x [BufferView<'a>; N], &'x mut [BufferViewMut<'b>; M]);

/// As many operands and results as the kernel takes.
fn counted<'x, 'a, 'b, const N: usize, const M: usize>(
    kernel: &'static str,
    args: &'x [BufferView<'a>],
    outs: &'x mut [BufferViewMut<'b>],
) -> Result<Counted<'x, 'a, 'b, N, M>, ArgumentError> {
    let count = |what, required, given| ArgumentError::Count { kernel, what, required, given };
    let (num_args, num_outs) = (args.len(), outs.len());
    let args = args.try_into().map_err(|_| count("operands", N, num_args))?;
    let outs = outs.try_into().map_err(|_| count("results", M, num_outs))?;
    Ok((args, outs))
}

/// Checks with the name of the kernel in their messages.
struct Call {
    kernel: &'static str,
}

impl Call {
    /// Sizes of a buffer of rank `N`.
    fn dims<const N: usize>(&self, name: &'static str, dims: &[i64]) -> Result<[usize; N], ArgumentError> {
        let sizes: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let sizes = sizes.filter(|s| elements(s).is_some()).and_then(|s| s.try_into().ok());
        sizes.ok_or_else(|| self.wrong_dims(name, format!("{N} dims of a size that fits memory"), dims))
    }

    fn same_dims(&self, name: &'static str, given: &[i64], required: &[usize]) -> Result<(), ArgumentError> {
        let same = given.len() == required.len()
            && given.iter().zip(required).all(|(&g, &r)| usize::try_from(g) == Ok(r));
        if same { Ok(()) } else { Err(self.wrong_dims(name, format!("{required:?}"), given)) }
    }

    fn wrong_dims(&self, name: &'static str, required: String, given: &[i64]) -> ArgumentError {
        ArgumentError::Dims { kernel: self.kernel, name, required, given: format!("{given:?}") }
    }

    fn dtype(&self, name: &'static str, required: &str, given: DType) -> ArgumentError {
        ArgumentError::DType { kernel: self.kernel, name, required: required.into(), given }
    }

    /// As many operands as the kernel takes.
    fn operands<'x, 'a, const N: usize>(
        &self,
        args: &'x [BufferView<'a>],
    ) -> Result<&'x [BufferView<'a>; N], ArgumentError> {
        let count = args.len();
        args.try_into().map_err(|_| ArgumentError::Count {
            kernel: self.kernel,
            what: "operands",
            required: N,
            given: count,
        })
    }

    fn number_of_results(&self, required: usize, given: usize) -> ArgumentError {
        ArgumentError::Count { kernel: self.kernel, what: "results", required, given }
    }

    /// That a buffer has the dims of another one.
    fn like(&self, name: &'static str, given: &[i64], other: &[i64]) -> Result<(), ArgumentError> {
        if given == other { Ok(()) } else { Err(self.wrong_dims(name, format!("{other:?}"), given)) }
    }

    /// An attribute that counts something.
    fn count(&self, attributes: Attributes<'_>, name: &'static str) -> Result<usize, ArgumentError> {
        let value = attributes.iter().find(|(n, _)| *n == name).map(|&(_, value)| value);
        value.and_then(|v| usize::try_from(v).ok()).ok_or_else(|| ArgumentError::Attribute {
            kernel: self.kernel,
            name,
            required: "a whole number, not negative",
            given: value.map_or("nothing".into(), |v| v.to_string()),
        })
    }

    fn flag(&self, attributes: Attributes<'_>, name: &'static str) -> Result<bool, ArgumentError> {
        let value = attributes.iter().find(|(n, _)| *n == name).map(|&(_, value)| value);
        match value {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            given => Err(ArgumentError::Attribute {
                kernel: self.kernel,
                name,
                required: "0 or 1",
                given: given.map_or("nothing".into(), |v| v.to_string()),
            }),
        }
    }

    fn input<'a, E: AnyBitPattern + NoUninit>(
        &self,
        name: &'static str,
        dtype: DType,
        buffer: &BufferView<'a>,
    ) -> Result<&'a [E], ArgumentError> {
        if buffer.dtype != dtype {
            return Err(self.dtype(name, dtype.stablehlo(), buffer.dtype));
        }
        let (dims, len) = (buffer.dims, buffer.bytes.len());
        let elements = if len == 0 { Ok(&[] as &[E]) } else { try_cast_slice(buffer.bytes) };
        elements.ok().filter(|e| holds(dims, e.len())).ok_or_else(|| self.memory(name, dims, len))
    }

    fn output<'a>(&self, buffer: &'a mut BufferViewMut<'_>) -> Result<&'a mut [f32], ArgumentError> {
        self.result("out", DType::F32, buffer)
    }

    fn result<'a, E: AnyBitPattern + NoUninit>(
        &self,
        name: &'static str,
        dtype: DType,
        buffer: &'a mut BufferViewMut<'_>,
    ) -> Result<&'a mut [E], ArgumentError> {
        if buffer.dtype != dtype {
            return Err(self.dtype(name, dtype.stablehlo(), buffer.dtype));
        }
        let (dims, len) = (buffer.dims, buffer.bytes.len());
        let elements = if len == 0 { Ok(&mut [] as &mut [E]) } else { try_cast_slice_mut(buffer.bytes) };
        elements.ok().filter(|e| holds(dims, e.len())).ok_or_else(|| self.memory(name, dims, len))
    }

    fn memory(&self, name: &'static str, dims: &[i64], bytes: usize) -> ArgumentError {
        let required = dims.iter().fold(1_usize, |n, &d| n.saturating_mul(usize::try_from(d).unwrap_or(0)));
        let given = format!("{bytes} bytes for dims {dims:?}");
        ArgumentError::Memory { kernel: self.kernel, name, required, given }
    }
}

/// Whether dims have this many elements.
fn holds(dims: &[i64], len: usize) -> bool {
    let sizes: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    sizes.and_then(|s| elements(&s)) == Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operands and result of a good `grouped_dot` call, to be spoilt.
    struct Dot {
        rows: (DType, Vec<i64>, Vec<f32>),
        weights: (DType, Vec<i64>, Vec<f32>),
        block_slot: (DType, Vec<i64>, Vec<i32>),
        out: (DType, Vec<i64>, Vec<f32>),
        attributes: Vec<(&'static str, i64)>,
    }

    impl Dot {
        fn good() -> Self {
            Self {
                rows: (DType::F32, vec![4, 3], vec![1.0; 12]),
                weights: (DType::F32, vec![2, 3, 5], (0..30).map(|i| (i / 15) as f32).collect()),
                block_slot: (DType::I32, vec![2], vec![1, 2]),
                out: (DType::F32, vec![4, 5], vec![9.0; 20]),
                attributes: vec![("other", 3), ("weights_transposed", 0)],
            }
        }

        fn call(&mut self) -> Result<(), String> {
            fn view<T: NoUninit>((dtype, dims, data): &(DType, Vec<i64>, Vec<T>)) -> BufferView<'_> {
                BufferView { dtype: *dtype, dims, bytes: bytemuck::cast_slice(data) }
            }
            let (dtype, dims, data) = &mut self.out;
            let out = BufferViewMut { dtype: *dtype, dims, bytes: bytemuck::cast_slice_mut(data) };
            let args = [view(&self.rows), view(&self.weights), view(&self.block_slot)];
            Ok(HANDLERS[0].1(&args, &mut [out], &self.attributes)?)
        }
    }

    #[test]
    fn a_good_call_computes() {
        let mut dot = Dot::good();
        dot.call().expect("fits");
        assert_eq!(dot.out.2, [[3.0; 10], [0.0; 10]].concat());
    }

    #[test]
    fn every_fault_is_an_error_that_names_it_and_nothing_is_written() {
        type Spoil = fn(&mut Dot);
        let cases: [(Spoil, &str); 15] = [
            (|d| d.rows.1 = vec![4, 4], "grouped_dot: `weights` must be of contracted size 4"),
            (|d| d.rows.1 = vec![12], "`rows` must be 2 dims"),
            (|d| d.rows.1 = vec![-4, 3], "got [-4, 3]"),
            (|d| d.rows.1 = vec![i64::MAX, 3], "`rows` must be 2 dims of a size that fits memory"),
            (|d| d.rows.2.truncate(11), "`rows` must be 12 elements in aligned memory, got 44 bytes"),
            (|d| d.rows.0 = DType::F64, "`rows` must hold f32 or bf16, got f64"),
            (|d| d.weights.0 = DType::Bf16, "`weights` must hold f32, got bf16"),
            (|d| d.weights.1 = vec![2, 5, 3], "`weights` must be of contracted size 3"),
            (|d| d.weights.1 = vec![3, 3, 5], "`weights` must be 45 elements"),
            (|d| d.block_slot.0 = DType::U32, "`block_slot` must hold i32, got ui32"),
            (|d| d.block_slot = (DType::I32, vec![3], vec![0; 3]), "as many blocks as divide the 4 rows"),
            (|d| d.out.1 = vec![4, 4], "`out` must be [4, 5], got [4, 4]"),
            (|d| d.out.0 = DType::Bf16, "`out` must hold f32"),
            (|d| d.attributes.clear(), "attribute `weights_transposed` must be 0 or 1, got nothing"),
            (|d| d.attributes[1].1 = 2, "must be 0 or 1, got 2"),
        ];
        for (spoil, message) in cases {
            let mut dot = Dot::good();
            spoil(&mut dot);
            let error = dot.call().expect_err(message);
            assert!(error.contains(message), "{error} instead of {message}");
            assert!(dot.out.2.iter().all(|&x| x == 9.0), "{message}: written");
        }
    }

    #[test]
    fn numbers_of_operands_and_alignment_are_checked() {
        let error = grouped_outer(&[], &mut [], &[]).expect_err("no operands").to_string();
        assert_eq!(error, "grouped_outer: takes 3 operands, got 0; emit the call with 3");
        let data = [0_u32; 9];
        let bytes: &[u8] = bytemuck::cast_slice(&data);
        let rows = |bytes| BufferView { dtype: DType::F32, dims: &[2, 2], bytes };
        let slots = BufferView { dtype: DType::I32, dims: &[1], bytes: &bytes[..4] };
        let mut memory = [0_u32; 4];
        let bytes_out = bytemuck::cast_slice_mut(&mut memory);
        let mut out = [BufferViewMut { dtype: DType::F32, dims: &[1, 2, 2], bytes: bytes_out }];
        let args = [rows(&bytes[..16]), rows(&bytes[1..17]), slots];
        let error = grouped_outer(&args, &mut out, &[]).expect_err("not aligned").to_string();
        assert!(error.contains("`right` must be 4 elements in aligned memory"), "{error}");
        grouped_outer(&[args[0], args[0], args[2]], &mut out, &[]).expect("aligned");
    }
}
