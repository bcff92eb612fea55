//! Hands this process's CPU kernels to the CPU plugin, as typed custom calls.

use std::sync::Arc;

use collegium_core::DType;
use collegium_kernels::Threads;
use collegium_kernels::handlers::{self, BufferView, BufferViewMut, Operand, Steps};
use collegium_pjrt::ffi;
use collegium_pjrt::{CallFrame, Plugin};

/// The platform's name inside XLA.
const HOST: &str = "Host";

/// Registers the kernels for `ranks` devices that share the cores; whether programs may call them.
pub(crate) fn register(plugin: &Arc<Plugin>, ranks: usize) -> bool {
    Threads::set(ranks);
    register_all(plugin)
}

/// A type for each kernel, as the plugin tells handlers apart by type: the name that programs call it by, its handler, and the attributes of its calls.
macro_rules! kernels {
    ($($kernel:ident = $name:ident, $handler:ident $attributes:tt;)*) => {
        $(
            struct $kernel;

            impl ffi::Handler for $kernel {
                const NAME: &'static str = collegium_hlo::$name;

                fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
                    call::<Self, _>(handlers::$handler, frame, $attributes)
                }
            }
        )*

        fn register_all(plugin: &Plugin) -> bool {
            ffi::register::<Chain>(plugin, HOST).is_ok() $(&& ffi::register::<$kernel>(plugin, HOST).is_ok())*
        }
    };
}

kernels! {
    GroupedDot = GROUPED_DOT, grouped_dot ["weights_transposed"];
    GroupedOuter = GROUPED_OUTER, grouped_outer [];
    GroupedDotSum = GROUPED_DOT_SUM, grouped_dot_sum [];
    ExpertRows = EXPERT_ROWS, expert_rows [];
    ExpertRowsGradient = EXPERT_ROWS_GRADIENT, expert_rows_gradient [];
    Attention = ATTENTION, attention ["window"];
    AttentionGradient = ATTENTION_GRADIENT, attention_gradient ["window"];
    CrossEntropy = CROSS_ENTROPY, cross_entropy [];
    SlotShards = SLOT_SHARDS, slot_shards [];
    SlotSums = SLOT_SUMS, slot_sums [];
    SwigluGradient = SWIGLU_GRADIENT, swiglu_gradient [];
    GatheredSum = GATHERED_SUM, gathered_sum [];
    SumOfSquares = SUM_OF_SQUARES, sum_of_squares [];
    AdamW = ADAMW, adamw [];
}

/// Kernels of serving, one after another.
struct Chain;

impl ffi::Handler for Chain {
    const NAME: &'static str = collegium_hlo::CHAIN;

    fn call(frame: &mut CallFrame<'_>) -> Result<(), String> {
        let operand = |index| match frame.alias(index)? {
            Some(result) => Ok(Operand::InPlace(result)),
            None => Ok(Operand::Read(view(frame, index)?)),
        };
        let operands = (0..frame.num_inputs()).map(operand).collect::<Result<Vec<_>, String>>()?;
        let mut results = results(frame)?;
        let [kernels, names] = ["kernels", "names"].map(|name| frame.string(name));
        let steps = Steps { kernels: kernels?, names: names?, numbers: frame.integers("steps")? };
        handlers::chain(&operands, &mut results, steps).map_err(|e| e.to_string())
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
    kernel(&inputs, &mut results(frame)?, &attributes).map_err(|e| e.to_string())
}

fn results<'a>(frame: &mut CallFrame<'a>) -> Result<Vec<BufferViewMut<'a>>, String> {
    (0..frame.num_outputs()).map(|i| view_mut(frame, i)).collect()
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
