//! Calls of handlers with one thing wrong, for tests.

use collegium_core::DType;

use super::{BufferView, BufferViewMut, Handler};

/// Buffers of one call, to be spoilt: name, element type, dims and bytes.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) operands: Vec<(DType, Vec<i64>, Vec<u32>)>,
    pub(super) results: Vec<(DType, Vec<i64>, Vec<u32>)>,
    pub(super) attributes: Vec<(&'static str, i64)>,
}

pub(super) const POISON: u32 = 0x7777_7777;

pub(super) fn buffer(dtype: DType, dims: &[i64], fill: u32) -> (DType, Vec<i64>, Vec<u32>) {
    (dtype, dims.to_vec(), vec![fill; dims.iter().product::<i64>() as usize])
}

impl Frame {
    pub(super) fn call(&mut self, handler: Handler) -> Result<(), String> {
        let args: Vec<BufferView<'_>> = self
            .operands
            .iter()
            .map(|(dtype, dims, data)| BufferView { dtype: *dtype, dims, bytes: bytemuck::cast_slice(data) })
            .collect();
        let mut outs: Vec<BufferViewMut<'_>> = self
            .results
            .iter_mut()
            .map(|(dtype, dims, data)| BufferViewMut {
                dtype: *dtype,
                dims,
                bytes: bytemuck::cast_slice_mut(data),
            })
            .collect();
        Ok(handler(&args, &mut outs, &self.attributes)?)
    }
}

pub(super) type Spoil = fn(&mut Frame);

/// That the good call computes, and each spoilt one says what is wrong and writes nothing.
pub(super) fn refuses(good: fn() -> Frame, handler: Handler, cases: &[(Spoil, &str)]) {
    good().call(handler).expect("the good call computes");
    for (spoil, message) in cases {
        let mut frame = good();
        spoil(&mut frame);
        let error = frame.call(handler).expect_err(message);
        assert!(error.contains(message), "{error} instead of {message}");
        let untouched = |r: &(DType, Vec<i64>, Vec<u32>)| r.2.iter().all(|&x| x == POISON);
        assert!(frame.results.iter().all(untouched), "{message}: written");
    }
}
