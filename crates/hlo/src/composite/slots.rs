//! From shards of experts to the slots of ranks, and back: products with a matrix of zeros and ones that says which slot of
//! which rank holds which expert. Matrix engines have nothing else to do then, and a gather of weights is what Neuron does worst;
//! a CPU has a kernel that copies.
//!
//! | value | dims |
//! | --- | --- |
//! | wanted | {rank, slot, expert} f32: one where that slot of that rank holds that expert, else zero |
//! | shards, sums | {expert, flat} f32 |
//! | slots | {rank, slot, flat} |
//!
//! Cost: 2 · ranks · slots · experts · flat FLOPs in the plain form.

use collegium_core::DType;

use super::Composite;
use crate::build::product::product_dtype;
use crate::{Shape, Value};

impl<'g> Value<'g> {
    /// What each slot holds of the shards: `self` {rank, slot, expert} times `shards` {expert, flat}, in `dtype`:
    /// {rank, slot, flat}. Exact where a slot holds one expert, up to the rounding to `dtype`.
    #[track_caller]
    pub fn slot_shards(self, shards: Self, dtype: DType) -> Self {
        Self::composite(Composite::SlotShards { dtype }, 0, &[self, shards])
    }

    /// For each expert the sum over the slots that hold it: `self` {rank, slot, expert} and `slots` {rank, slot, flat} f32 to
    /// {expert, flat}.
    #[track_caller]
    pub fn slot_sums(self, slots: Self) -> Self {
        Self::composite(Composite::SlotSums, 0, &[self, slots])
    }
}

pub(super) fn shards_shape(x: &[&Shape], dtype: DType) -> Option<Vec<Shape>> {
    let [wanted, shards] = x else { return None };
    let ([rank, slot, expert], [held, flat]) = (&wanted.dims[..], &shards.dims[..]) else { return None };
    let fits = expert == held && is_f32(x) && dtype.is_float();
    fits.then(|| vec![Shape::new(dtype, &[*rank, *slot, *flat])])
}

pub(super) fn sums_shape(x: &[&Shape]) -> Option<Vec<Shape>> {
    let [wanted, slots] = x else { return None };
    let ([rank, slot, expert], [own_rank, own_slot, flat]) = (&wanted.dims[..], &slots.dims[..]) else {
        return None;
    };
    let fits = (rank, slot) == (own_rank, own_slot) && is_f32(x);
    fits.then(|| vec![Shape::new(DType::F32, &[*expert, *flat])])
}

fn is_f32(x: &[&Shape]) -> bool {
    x.iter().all(|s| s.dtype == DType::F32)
}

pub(super) fn plain_shards<'g>(x: &[Value<'g>], dtype: DType) -> Vec<Value<'g>> {
    let [wanted, shards] = *x else { unreachable!("it has two inputs") };
    let expert = wanted.shape().dims[2].name;
    let [wanted, shards] = [wanted, shards].map(|v| v.convert(dtype));
    vec![wanted.dot_as(shards, &[expert], product_dtype(dtype)).convert(dtype)]
}

pub(super) fn plain_sums<'g>(x: &[Value<'g>]) -> Vec<Value<'g>> {
    let [wanted, slots] = *x else { unreachable!("it has two inputs") };
    let dims = wanted.shape().dims;
    vec![wanted.dot(slots, &[dims[0].name, dims[1].name])]
}

pub(super) fn pull_back_shards<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let [wanted, shards] = *x else { unreachable!("it has two inputs") };
    let d = d.convert(DType::F32);
    let flat = shards.shape().dims[1].name;
    vec![(wanted, d.dot(shards, &[flat])), (shards, wanted.slot_sums(d))]
}

pub(super) fn pull_back_sums<'g>(x: &[Value<'g>], d: Value<'g>) -> Vec<(Value<'g>, Value<'g>)> {
    let [wanted, slots] = *x else { unreachable!("it has two inputs") };
    let flat = slots.shape().dims[2].name;
    vec![(wanted, slots.dot(d, &[flat])), (slots, wanted.slot_shards(d, DType::F32))]
}
