//! What a handler sees of one call: inputs as slices, outputs as slices to fill, attributes.

use std::collections::BTreeMap;
use std::ffi::{CString, c_int, c_void};
use std::ops::Range;

use collegium_core::{DType, Element};
use collegium_pjrt_sys::ffi as c;

use crate::plugin::{slice, text};

/// One call of a custom-call handler.
pub struct CallFrame<'a> {
    inputs: Vec<Input<'a>>,
    /// An output is handed out once, so that there is one mutable slice of it.
    outputs: Vec<Option<Tensor<'a>>>,
    attributes: BTreeMap<String, Attribute>,
}

/// An operand. Where the program lets a result reuse its memory (`output_operand_aliases`), only the result may be
/// looked at: there is one slice of each piece of memory.
struct Input<'a> {
    tensor: Tensor<'a>,
    alias: Option<usize>,
}

/// The value of an attribute in a program's `backend_config`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Attribute {
    Bool(bool),
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    Str(String),
    I64s(Vec<i64>),
}

impl<'a> CallFrame<'a> {
    /// # Safety
    /// `frame` is at the execute stage, and its buffers and attributes are valid for `'a`.
    pub(crate) unsafe fn new(frame: &'a c::CallFrame) -> Result<Self, String> {
        // SAFETY: promised by the caller.
        let (inputs, outputs, attributes) =
            unsafe { (tensors(&frame.args)?, tensors(&frame.rets)?, attributes(&frame.attributes)) };
        let places = Places::of(&outputs);
        let inputs = inputs.into_iter().map(|tensor| Input { alias: places.overlapping(&tensor), tensor });
        let inputs = inputs.collect();
        Ok(Self { inputs, outputs: outputs.into_iter().map(Some).collect(), attributes })
    }

    /// Number of operands.
    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Number of results.
    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Element type of an operand.
    pub fn input_dtype(&self, index: usize) -> Result<DType, String> {
        Ok(self.input_slot(index)?.tensor.dtype)
    }

    /// Element type of a result that has not been taken.
    pub fn output_dtype(&self, index: usize) -> Result<DType, String> {
        let count = self.outputs.len();
        let slot = self.outputs.get(index).ok_or(format!("output {index}: the call has {count}"))?;
        Ok(slot.as_ref().ok_or(format!("output {index}: taken already"))?.dtype)
    }

    /// Sizes of an operand.
    pub fn input_dims(&self, index: usize) -> Result<&'a [i64], String> {
        Ok(self.input_slot(index)?.tensor.dims)
    }

    /// The result that lies in the memory of an operand, if there is one (none for an operand without elements).
    pub fn alias(&self, index: usize) -> Result<Option<usize>, String> {
        Ok(self.input_slot(index)?.alias)
    }

    /// Values of an operand, row-major. Booleans are read as `u8`.
    pub fn input<T: Element>(&self, index: usize) -> Result<&'a [T], String> {
        let Input { tensor, alias } = self.input_slot(index)?;
        if let Some(output) = alias {
            return Err(format!(
                "input {index} shares its memory with output {output}; read it there before writing"
            ));
        }
        let len = tensor.check::<T>().map_err(|e| format!("input {index}: {e}"))?;
        // SAFETY: the runtime keeps operands valid and unchanged for the call, `check` saw type, size and alignment,
        // every bit pattern is a value of `T`, and no output overlaps.
        Ok(unsafe { slice(tensor.data.cast(), len) })
    }

    /// The memory of a result, to fill, with its sizes. Each can be taken once. A result that reuses the memory of an
    /// operand holds the operand's values.
    pub fn output<T: Element>(&mut self, index: usize) -> Result<(&'a mut [T], &'a [i64]), String> {
        let count = self.outputs.len();
        let slot = self.outputs.get_mut(index).ok_or(format!("output {index}: the call has {count}"))?;
        let tensor = slot.take().ok_or(format!("output {index}: taken already"))?;
        let len = tensor.check::<T>().map_err(|e| format!("output {index}: {e}"))?;
        if len == 0 {
            return Ok((&mut [], tensor.dims));
        }
        // SAFETY: the runtime gives each result memory of its own, for this call; operands that overlap are never
        // handed out; the slot is now empty; `check` saw type, size and alignment. The memory may never have been
        // written, but it comes from foreign code: for us it has some value, and every bit pattern is a `T`.
        Ok((unsafe { std::slice::from_raw_parts_mut(tensor.data.cast(), len) }, tensor.dims))
    }

    /// An attribute, if the program gives it.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    /// An integer attribute (`i32` or `i64`).
    pub fn integer(&self, name: &str) -> Result<i64, String> {
        match self.attribute(name) {
            Some(Attribute::I64(v)) => Ok(*v),
            Some(Attribute::I32(v)) => Ok(i64::from(*v)),
            other => Err(wrong_attribute(name, "an integer", other)),
        }
    }

    /// A floating-point attribute (`f32` or `f64`).
    pub fn float(&self, name: &str) -> Result<f64, String> {
        match self.attribute(name) {
            Some(Attribute::F64(v)) => Ok(*v),
            Some(Attribute::F32(v)) => Ok(f64::from(*v)),
            other => Err(wrong_attribute(name, "a float", other)),
        }
    }

    /// A string attribute.
    pub fn string(&self, name: &str) -> Result<&str, String> {
        match self.attribute(name) {
            Some(Attribute::Str(v)) => Ok(v),
            other => Err(wrong_attribute(name, "a string", other)),
        }
    }

    /// An attribute of several integers (`array<i64>`).
    pub fn integers(&self, name: &str) -> Result<&[i64], String> {
        match self.attribute(name) {
            Some(Attribute::I64s(v)) => Ok(v),
            other => Err(wrong_attribute(name, "integers", other)),
        }
    }

    fn input_slot(&self, index: usize) -> Result<&Input<'a>, String> {
        self.inputs.get(index).ok_or_else(|| format!("input {index}: the call has {}", self.inputs.len()))
    }
}

fn wrong_attribute(name: &str, required: &str, given: Option<&Attribute>) -> String {
    match given {
        Some(given) => format!("attribute `{name}` must be {required}, got {given:?}"),
        None => format!("attribute `{name}` is missing; it must be {required}"),
    }
}

/// Where results lie, in the order of memory: no two overlap.
struct Places(Vec<(Range<usize>, usize)>);

impl Places {
    fn of(outputs: &[Tensor<'_>]) -> Self {
        let mut places: Vec<_> =
            outputs.iter().map(Tensor::range).zip(0..).filter(|p| !p.0.is_empty()).collect();
        places.sort_unstable_by_key(|place| place.0.start);
        Self(places)
    }

    /// The first result, in that order, that shares memory with `tensor`.
    fn overlapping(&self, tensor: &Tensor<'_>) -> Option<usize> {
        let range = tensor.range();
        let (place, output) = self.0.get(self.0.partition_point(|place| place.0.end <= range.start))?;
        (place.start < range.end && !range.is_empty()).then_some(*output)
    }
}

/// A buffer of the runtime.
struct Tensor<'a> {
    dtype: DType,
    dims: &'a [i64],
    data: *mut c_void,
}

impl Tensor<'_> {
    fn len(&self) -> usize {
        self.dims.iter().map(|&d| usize::try_from(d).unwrap_or(0)).product()
    }

    fn range(&self) -> Range<usize> {
        let start = self.data as usize;
        start..start + self.len() * self.dtype.size_bytes()
    }

    /// Number of elements, if they are of type `T`.
    fn check<T: Element>(&self) -> Result<usize, String> {
        let same = self.dtype == T::DTYPE || (self.dtype == DType::Bool && T::DTYPE == DType::U8);
        if !same {
            return Err(format!("holds {}, the handler expects {}", self.dtype, T::DTYPE));
        }
        let len = self.len();
        if len > 0 && (self.data.is_null() || !self.data.cast::<T>().is_aligned()) {
            return Err(format!("memory at {:p} is not aligned for {}", self.data, self.dtype));
        }
        Ok(len)
    }
}

/// # Safety
/// The buffers are valid for `'a`.
unsafe fn tensors<'a>(buffers: &'a c::Buffers) -> Result<Vec<Tensor<'a>>, String> {
    let len = usize::try_from(buffers.size).unwrap_or(0);
    // SAFETY: both arrays have `size` elements.
    let (types, values) = unsafe { (slice(buffers.types, len), slice(buffers.values, len)) };
    let tensor = |(&kind, &value): (&c_int, &*mut c_void)| {
        if kind != c::BUFFER {
            return Err(format!("operands must be tensors, got type {kind}"));
        }
        // SAFETY: a value of type "buffer" points to one, and its sizes live as long.
        let (buffer, dims) = unsafe {
            let buffer = &*value.cast::<c::Buffer>();
            (buffer, slice(buffer.dims, usize::try_from(buffer.rank).unwrap_or(0)))
        };
        let dtype = dtype(buffer.dtype).ok_or(format!("element type {} has no counterpart", buffer.dtype))?;
        Ok(Tensor { dtype, dims, data: buffer.data })
    };
    types.iter().zip(values).map(tensor).collect()
}

/// Attributes of types that no handler of ours asks for are left out.
///
/// # Safety
/// The attributes are valid.
unsafe fn attributes(attributes: &c::Attributes) -> BTreeMap<String, Attribute> {
    let len = usize::try_from(attributes.size).unwrap_or(0);
    // SAFETY: all arrays have `size` elements; each value is read by its own tag.
    unsafe {
        let names = slice(attributes.names, len);
        let types = slice(attributes.types, len);
        let values = slice(attributes.values, len);
        let entries = names.iter().zip(types.iter().zip(values));
        entries.filter_map(|(&name, (&kind, &value))| Some((span(name), attribute(kind, value)?))).collect()
    }
}

/// # Safety
/// `value` points to an attribute of type `kind`.
unsafe fn attribute(kind: c_int, value: *mut c_void) -> Option<Attribute> {
    // SAFETY: promised by the caller, for each tag.
    unsafe {
        match kind {
            c::ATTRIBUTE_STRING => Some(Attribute::Str(span(value.cast()))),
            c::ATTRIBUTE_SCALAR => {
                let scalar = &*value.cast::<c::Scalar>();
                scalar_value(scalar.dtype, scalar.value)
            }
            c::ATTRIBUTE_ARRAY => {
                let array = &*value.cast::<c::Array>();
                (array.dtype == c::data_type::S64)
                    .then(|| Attribute::I64s(slice(array.data.cast(), array.size).to_vec()))
            }
            _ => None,
        }
    }
}

/// # Safety
/// `value` points to a scalar of type `dtype`.
unsafe fn scalar_value(dtype: c_int, value: *mut c_void) -> Option<Attribute> {
    // SAFETY: promised by the caller, for each tag.
    unsafe {
        Some(match dtype {
            c::data_type::PRED => Attribute::Bool(value.cast::<u8>().read_unaligned() != 0),
            c::data_type::S32 => Attribute::I32(value.cast::<i32>().read_unaligned()),
            c::data_type::S64 => Attribute::I64(value.cast::<i64>().read_unaligned()),
            c::data_type::F32 => Attribute::F32(value.cast::<f32>().read_unaligned()),
            c::data_type::F64 => Attribute::F64(value.cast::<f64>().read_unaligned()),
            _ => return None,
        })
    }
}

/// # Safety
/// `span` points to a valid span.
unsafe fn span(span: *const c::ByteSpan) -> String {
    // SAFETY: promised by the caller.
    unsafe { text((*span).ptr, (*span).len) }
}

fn dtype(kind: c_int) -> Option<DType> {
    Some(match kind {
        c::data_type::PRED => DType::Bool,
        c::data_type::S8 => DType::I8,
        c::data_type::S32 => DType::I32,
        c::data_type::S64 => DType::I64,
        c::data_type::U8 => DType::U8,
        c::data_type::U32 => DType::U32,
        c::data_type::F16 => DType::F16,
        c::data_type::BF16 => DType::Bf16,
        c::data_type::F32 => DType::F32,
        c::data_type::F64 => DType::F64,
        _ => return None,
    })
}

/// An error for the runtime, which owns it.
///
/// # Safety
/// The frame's function table is valid.
pub(crate) unsafe fn error(frame: &c::CallFrame, message: &str) -> *mut c::Error {
    const INTERNAL: c_int = 13;
    let message = CString::new(message.replace('\0', " ")).unwrap_or_default();
    let mut args = c::ErrorCreateArgs {
        struct_size: size_of::<c::ErrorCreateArgs>() - size_of::<u32>(), // without the padding behind `code`
        extension_start: std::ptr::null_mut(),
        message: message.as_ptr(),
        code: INTERNAL,
    };
    // SAFETY: promised by the caller; the runtime copies the message.
    unsafe {
        match (*frame.api).error_create {
            Some(create) => create(&mut args),
            // No runtime lacks it; if one did, success would be a lie that nobody could see.
            None => std::process::abort(),
        }
    }
}
