//! A step of attention over a cache in pages.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::paged::{self, Caches, PAGE, PagedStep};
use crate::{ArgumentError, Operand, Threads};

/// Operands qkv {token, feature}, cos and sin {token, half}, pages {sequence, page}, sequence, position and place {token}, and two norms {head_dim}
/// where heads are normalised. Results keys {cache_page, kv_head, head_dim, row} and values {cache_page, kv_head, row, head_dim}, which hold
/// the old ones, and {token, feature}. Attributes `window` (0: all) and `eps_bits` (an f32).
pub fn paged_step(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "paged_step" };
    let (args, norms) = args.split_at(args.len().min(7));
    let (args, outs): (&[BufferView<'_>; 7], &mut [BufferViewMut<'_>; 3]) = counted(call.kernel, args, outs)?;
    match args[0].dtype {
        DType::F32 => call.paged_step::<f32>(args, norms, outs, attributes),
        DType::Bf16 => call.paged_step::<bf16>(args, norms, outs, attributes),
        given => Err(call.dtype("qkv", "f32 or bf16", given)),
    }
}

/// The same over int8 keys and values, behind which, {cache_page, kv_head, row}, the scales of both come.
pub fn paged_step_int8(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "paged_step_int8" };
    let (args, norms) = args.split_at(args.len().min(7));
    let (args, outs): (&[BufferView<'_>; 7], &mut [BufferViewMut<'_>; 5]) = counted(call.kernel, args, outs)?;
    match args[0].dtype {
        DType::F32 => call.paged_step_int8::<f32>(args, norms, outs, attributes),
        DType::Bf16 => call.paged_step_int8::<bf16>(args, norms, outs, attributes),
        given => Err(call.dtype("qkv", "f32 or bf16", given)),
    }
}

impl Call {
    fn paged_step<T: Operand>(
        &self,
        args: &[BufferView<'_>; 7],
        norms: &[BufferView<'_>],
        [keys, values, out]: &mut [BufferViewMut<'_>; 3],
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let step = self.step::<T>(args, norms, [keys, values, out], attributes)?;
        let out = self.result::<T>("out", T::DTYPE, out)?;
        let keys = self.result::<T>("keys", T::DTYPE, keys)?;
        let values = self.result::<T>("values", T::DTYPE, values)?;
        paged::paged_step(&step, [keys, values], out, &Threads::current())
    }

    fn paged_step_int8<T: Operand>(
        &self,
        args: &[BufferView<'_>; 7],
        norms: &[BufferView<'_>],
        [keys, values, key_scales, value_scales, out]: &mut [BufferViewMut<'_>; 5],
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let step = self.step::<T>(args, norms, [keys, values, out], attributes)?;
        let [held, kv_heads, ..] = self.dims::<4>("keys", keys.dims)?;
        self.same_dims("key_scales", key_scales.dims, &[held, kv_heads, PAGE])?;
        self.same_dims("value_scales", value_scales.dims, &[held, kv_heads, PAGE])?;
        let out = self.result::<T>("out", T::DTYPE, out)?;
        let caches = Caches {
            keys: self.result("keys", DType::I8, keys)?,
            values: self.result("values", DType::I8, values)?,
            scales: [
                self.result("key_scales", DType::F32, key_scales)?,
                self.result("value_scales", DType::F32, value_scales)?,
            ],
        };
        paged::paged_step_int8(&step, caches, out, &Threads::current())
    }

    /// The operands, of dims that fit each other and those of the results.
    fn step<'a, T: Operand>(
        &self,
        [qkv, cos, sin, pages, sequence, position, place]: &[BufferView<'a>; 7],
        norms: &[BufferView<'a>],
        [keys, values, out]: [&BufferViewMut<'_>; 3],
        attributes: Attributes<'_>,
    ) -> Result<PagedStep<'a, T>, ArgumentError> {
        let window = self.count(attributes, "window")?;
        let eps = f32::from_bits(self.count(attributes, "eps_bits")? as u32);
        let [tokens, features] = self.dims("qkv", qkv.dims)?;
        let [held, kv_heads, head_dim, _] = self.dims("keys", keys.dims)?;
        let [_, columns] = self.dims("pages", pages.dims)?;
        let all = features.checked_div(head_dim).unwrap_or(0);
        let Some(heads) = kv_heads.checked_mul(2).and_then(|kv| all.checked_sub(kv)) else {
            return Err(self.wrong_dims(
                "qkv",
                format!("features of more than {kv_heads} heads twice"),
                qkv.dims,
            ));
        };
        self.same_dims("keys", keys.dims, &[held, kv_heads, head_dim, PAGE])?;
        self.same_dims("values", values.dims, &[held, kv_heads, PAGE, head_dim])?;
        self.same_dims("qkv", qkv.dims, &[tokens, (heads + 2 * kv_heads) * head_dim])?;
        self.same_dims("out", out.dims, &[tokens, heads * head_dim])?;
        for (name, table) in [("cos", cos), ("sin", sin)] {
            self.same_dims(name, table.dims, &[tokens, head_dim / 2])?;
        }
        for (name, index) in [("sequence", sequence), ("position", position), ("place", place)] {
            self.same_dims(name, index.dims, &[tokens])?;
        }
        let norms = match norms {
            [] => None,
            [q, k] => Some(([self.input("norm", T::DTYPE, q)?, self.input("norm", T::DTYPE, k)?], eps)),
            more => {
                let given = 7 + more.len();
                return Err(ArgumentError::Count {
                    kernel: self.kernel,
                    what: "operands",
                    required: 9,
                    given,
                });
            }
        };
        Ok(PagedStep {
            qkv: self.input::<T>("qkv", T::DTYPE, qkv)?,
            cos: self.input("cos", DType::F32, cos)?,
            sin: self.input("sin", DType::F32, sin)?,
            norms,
            place: self.input("place", DType::I32, place)?,
            pages: self.input("pages", DType::I32, pages)?,
            sequence: self.input("sequence", DType::I32, sequence)?,
            position: self.input("position", DType::I32, position)?,
            heads,
            kv_heads,
            head_dim,
            columns,
            window: (window > 0).then_some(window),
        })
    }
}
