//! Hands this process's CPU kernels to the CPU plugin, as typed custom calls.

use std::sync::Arc;

use collegium_core::DType;
use collegium_kernels::Threads;
use collegium_kernels::handlers::{self, BufferView, BufferViewMut};
use collegium_pjrt::ffi;
use collegium_pjrt::{CallFrame, Plugin};

/// The platform's name inside XLA.
const HOST: &str = "Host";

/// Registers the kernels for `ranks` devices that share the cores; whether programs may call them.
pub(crate) fn register(plugin: &Arc<Plugin>, ranks: usize) -> bool {
    Threads::set(ranks);
    ffi::register::<GroupedDot>(plugin, HOST).is_ok()
        && ffi::register::<GroupedOuter>(plugin, HOST).is_ok()
        && ffi::register::<GroupedDotSum>(plugin, HOST).is_ok()
        && ffi::register::<ExpertRows>(plugin, HOST).is_ok()
        && ffi::register::<ExpertRowsGradient>(plugin, HOST).is_ok()
        && ffi::register::<Attention>(plugin, HOST).is_ok()
        && ffi::register::<AttentionGradient>(plugin, HOST).is_ok()
        && ffi::register::<CrossEntropy>(plugin, HOST).is_ok()
        && ffi::register::<SlotShards>(plugin, HOST).is_ok()
        && ffi::register::<SlotSums>(plugin, HOST).is_ok()
        && ffi::register::<Swiglu>(plugin, HOST).is_ok()
        && ffi::register::<SwigluGradient>(plugin, HOST).is_ok()
        && ffi::register::<GatheredSum>(plugin, HOST).is_ok()
        && ffi::register::<SumOfSquares>(plugin, HOST).is_ok()
        && ffi::register::<PackedDot>(plugin, HOST).is_ok()
        && ffi::register::<PackedExperts>(plugin, HOST).is_ok()
        && ffi::register::<Route>(plugin, HOST).is_ok()
        && ffi::register::<RmsNorm>(plugin, HOST).is_ok()
        && ffi::register::<PagedStep>(plugin, HOST).is_ok()
        && ffi::register::<PagedStepInt8>(plugin, HOST).is_ok()
        && ffi::register::<AdamW>(plugin, HOST).is_ok()
}

struct GroupedDot;

impl ffi::Handler for GroupedDot {
    const NAME: &'static str = collegium_hlo::GROUPED_DOT;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::grouped_dot, frame, ["weights_transposed"])
    }
}

struct GroupedOuter;

impl ffi::Handler for GroupedOuter {
    const NAME: &'static str = collegium_hlo::GROUPED_OUTER;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::grouped_outer, frame, [])
    }
}

struct GroupedDotSum;

impl ffi::Handler for GroupedDotSum {
    const NAME: &'static str = collegium_hlo::GROUPED_DOT_SUM;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::grouped_dot_sum, frame, [])
    }
}

struct ExpertRows;

impl ffi::Handler for ExpertRows {
    const NAME: &'static str = collegium_hlo::EXPERT_ROWS;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::expert_rows, frame, [])
    }
}

struct ExpertRowsGradient;

impl ffi::Handler for ExpertRowsGradient {
    const NAME: &'static str = collegium_hlo::EXPERT_ROWS_GRADIENT;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::expert_rows_gradient, frame, [])
    }
}

struct Attention;

impl ffi::Handler for Attention {
    const NAME: &'static str = collegium_hlo::ATTENTION;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::attention, frame, ["window"])
    }
}

struct AttentionGradient;

impl ffi::Handler for AttentionGradient {
    const NAME: &'static str = collegium_hlo::ATTENTION_GRADIENT;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::attention_gradient, frame, ["window"])
    }
}

struct CrossEntropy;

impl ffi::Handler for CrossEntropy {
    const NAME: &'static str = collegium_hlo::CROSS_ENTROPY;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::cross_entropy, frame, [])
    }
}

struct SlotShards;

impl ffi::Handler for SlotShards {
    const NAME: &'static str = collegium_hlo::SLOT_SHARDS;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::slot_shards, frame, [])
    }
}

struct SlotSums;

impl ffi::Handler for SlotSums {
    const NAME: &'static str = collegium_hlo::SLOT_SUMS;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::slot_sums, frame, [])
    }
}

struct Swiglu;

impl ffi::Handler for Swiglu {
    const NAME: &'static str = collegium_hlo::SWIGLU;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::swiglu, frame, [])
    }
}

struct SwigluGradient;

impl ffi::Handler for SwigluGradient {
    const NAME: &'static str = collegium_hlo::SWIGLU_GRADIENT;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::swiglu_gradient, frame, [])
    }
}

struct GatheredSum;

impl ffi::Handler for GatheredSum {
    const NAME: &'static str = collegium_hlo::GATHERED_SUM;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::gathered_sum, frame, [])
    }
}

struct SumOfSquares;

impl ffi::Handler for SumOfSquares {
    const NAME: &'static str = collegium_hlo::SUM_OF_SQUARES;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::sum_of_squares, frame, [])
    }
}

struct PackedDot;

impl ffi::Handler for PackedDot {
    const NAME: &'static str = collegium_hlo::PACKED_DOT;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::packed_dot, frame, ["eps_bits", "features", "is_added", "is_normed"])
    }
}

struct PackedExperts;

impl ffi::Handler for PackedExperts {
    const NAME: &'static str = collegium_hlo::PACKED_EXPERTS;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::packed_experts, frame, ["intermediate", "is_added"])
    }
}

struct Route;

impl ffi::Handler for Route {
    const NAME: &'static str = collegium_hlo::ROUTE;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::route, frame, ["eps_bits", "normalise"])
    }
}

struct RmsNorm;

impl ffi::Handler for RmsNorm {
    const NAME: &'static str = collegium_hlo::RMS_NORM;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::rms_norm, frame, ["eps_bits"])
    }
}

struct PagedStep;

impl ffi::Handler for PagedStep {
    const NAME: &'static str = collegium_hlo::PAGED_STEP;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::paged_step, frame, ["eps_bits", "window"])
    }
}

struct PagedStepInt8;

impl ffi::Handler for PagedStepInt8 {
    const NAME: &'static str = collegium_hlo::PAGED_STEP_INT8;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::paged_step_int8, frame, ["eps_bits", "window"])
    }
}

struct AdamW;

impl ffi::Handler for AdamW {
    const NAME: &'static str = collegium_hlo::ADAMW;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        call::<Self, _>(handlers::adamw, frame, [])
    }
}

/// Shows a call's buffers, and the attributes of these names, to the kernel of `H`, which turns its first operands into its first results if it works in place.
fn call<H: ffi::Handler, const N: usize>(
    kernel: handlers::Handler,
    frame: &mut CallFrame<'_>,
    names: [&'static str; N],
) -> Result<(), String> {
    let mut attributes = [("", 0); N];
    for (attribute, name) in attributes.iter_mut().zip(names) {
        *attribute = (name, frame.integer(name)?);
    }
    let in_place = handlers::num_in_place(H::NAME);
    for index in 0..in_place.min(frame.num_inputs()) {
        if frame.alias(index)? != Some(index) {
            return Err(format!(
                "operand {index} must lie where result {index} does (output_operand_aliases)"
            ));
        }
    }
    let inputs: Vec<BufferView<'_>> = (in_place.min(frame.num_inputs())..frame.num_inputs())
        .map(|i| view(frame, i))
        .collect::<Result<_, _>>()?;
    let mut outputs: Vec<BufferViewMut<'_>> =
        (0..frame.num_outputs()).map(|i| view_mut(frame, i)).collect::<Result<_, _>>()?;
    kernel(&inputs, &mut outputs, &attributes).map_err(|e| e.to_string())
}

fn view_mut<'a>(frame: &mut CallFrame<'a>, index: usize) -> Result<BufferViewMut<'a>, String> {
    let dtype = frame.output_dtype(index)?;
    let (bytes, dims): (&mut [u8], _) = match dtype {
        DType::Bf16 => {
            let (values, dims) = frame.output::<half::bf16>(index)?;
            (bytemuck::cast_slice_mut(values), dims)
        }
        DType::F32 => {
            let (values, dims) = frame.output::<f32>(index)?;
            (bytemuck::cast_slice_mut(values), dims)
        }
        DType::I32 => {
            let (values, dims) = frame.output::<i32>(index)?;
            (bytemuck::cast_slice_mut(values), dims)
        }
        DType::I8 => {
            let (values, dims) = frame.output::<i8>(index)?;
            (bytemuck::cast_slice_mut(values), dims)
        }
        other => return Err(format!("result {index} is {other}; the kernels give f32, bf16, i32 and i8")),
    };
    Ok(BufferViewMut { dtype, dims, bytes })
}

fn view<'a>(frame: &CallFrame<'a>, index: usize) -> Result<BufferView<'a>, String> {
    let dtype = frame.input_dtype(index)?;
    let bytes: &[u8] = match dtype {
        DType::F32 => bytemuck::cast_slice(frame.input::<f32>(index)?),
        DType::Bf16 => bytemuck::cast_slice(frame.input::<half::bf16>(index)?),
        DType::I32 => bytemuck::cast_slice(frame.input::<i32>(index)?),
        DType::I8 => bytemuck::cast_slice(frame.input::<i8>(index)?),
        other => return Err(format!("operand {index} is {other}; the kernels take f32, bf16, i32 and i8")),
    };
    Ok(BufferView { dtype, dims: frame.input_dims(index)?, bytes })
}
