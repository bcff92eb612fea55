//! Attention over a cache in pages.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::paged::{self, PagedAttention};
use crate::{ArgumentError, Operand, Threads};

/// Operands query {token, head, head_dim}, keys, values {place, kv_head, head_dim}, pages {sequence, page}, sequence, position {token};
/// result as query. Attributes `page`, the places of one, and `window`, 0 where a token sees all earlier ones.
pub fn paged_attention(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "paged_attention" };
    let (args, [out]): (&[BufferView<'_>; 6], _) = counted(call.kernel, args, outs)?;
    match args[0].dtype {
        DType::F32 => call.paged_attention::<f32>(args, out, attributes),
        DType::Bf16 => call.paged_attention::<bf16>(args, out, attributes),
        given => Err(call.dtype("query", "f32 or bf16", given)),
    }
}

impl Call {
    fn paged_attention<T: Operand>(
        &self,
        [query, keys, values, pages, sequence, position]: &[BufferView<'_>; 6],
        out: &mut BufferViewMut<'_>,
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let (page, window) = (self.count(attributes, "page")?, self.count(attributes, "window")?);
        let [tokens, heads, head_dim] = self.dims("query", query.dims)?;
        let [places, kv_heads, _] = self.dims("keys", keys.dims)?;
        let [_, columns] = self.dims("pages", pages.dims)?;
        self.same_dims("keys", keys.dims, &[places, kv_heads, head_dim])?;
        self.same_dims("values", values.dims, &[places, kv_heads, head_dim])?;
        self.same_dims("sequence", sequence.dims, &[tokens])?;
        self.same_dims("position", position.dims, &[tokens])?;
        self.like("out", out.dims, query.dims)?;
        let problem = PagedAttention {
            query: self.input::<T>("query", T::DTYPE, query)?,
            keys: self.input("keys", T::DTYPE, keys)?,
            values: self.input("values", T::DTYPE, values)?,
            pages: self.input("pages", DType::I32, pages)?,
            sequence: self.input("sequence", DType::I32, sequence)?,
            position: self.input("position", DType::I32, position)?,
            heads,
            kv_heads,
            head_dim,
            columns,
            page,
            window: (window > 0).then_some(window),
        };
        paged::paged_attention(&problem, self.result("out", T::DTYPE, out)?, &Threads::current())
    }
}
