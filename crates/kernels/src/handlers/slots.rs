//! Experts' weights to slots, and gradients back.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::slots::{self, Wanted};
use crate::{ArgumentError, Operand, Threads};

/// Operands wanted {rank, slot, expert}, shards {expert, flat}; result {rank, slot, flat}.
pub fn slot_shards(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "slot_shards";
    let ([wanted, shards], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match out.dtype {
        DType::F32 => call.slot_shards::<f32>(wanted, shards, out),
        DType::Bf16 => call.slot_shards::<bf16>(wanted, shards, out),
        given => Err(call.dtype("out", "f32 or bf16", given)),
    }
}

/// Operands wanted {rank, slot, expert}, slots {rank, slot, flat}; result {expert, flat}.
pub fn slot_sums(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "slot_sums";
    let ([wanted, slots], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    let [ranks, each, experts] = call.dims("wanted", wanted.dims)?;
    let [_, _, len] = call.dims("slots", slots.dims)?;
    call.same_dims("slots", slots.dims, &[ranks, each, len])?;
    call.same_dims("out", out.dims, &[experts, len])?;
    let wanted = call.wanted(wanted, ranks * each, experts, len)?;
    slots::slot_sums(&wanted, call.input("slots", DType::F32, slots)?, call.output(out)?, &Threads::current())
}

impl Call {
    fn slot_shards<T: Operand>(
        &self,
        wanted: &BufferView<'_>,
        shards: &BufferView<'_>,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let [ranks, each, experts] = self.dims("wanted", wanted.dims)?;
        let [_, len] = self.dims("shards", shards.dims)?;
        self.same_dims("shards", shards.dims, &[experts, len])?;
        self.same_dims("out", out.dims, &[ranks, each, len])?;
        let wanted = self.wanted(wanted, ranks * each, experts, len)?;
        let shards = self.input("shards", DType::F32, shards)?;
        slots::slot_shards(&wanted, shards, self.result::<T>("out", T::DTYPE, out)?, &Threads::current())
    }

    fn wanted<'a>(
        &self,
        wanted: &BufferView<'a>,
        places: usize,
        experts: usize,
        len: usize,
    ) -> Result<Wanted<'a>, ArgumentError> {
        Ok(Wanted { wanted: self.input("wanted", DType::F32, wanted)?, places, experts, len })
    }
}
