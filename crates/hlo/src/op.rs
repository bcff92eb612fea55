//! The operations: the one closed set of the project. Every pass matches on it, so the compiler lists the
//! passes that a new operation still lacks.

use crate::{Composite, Name};

/// One-input, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// -x
    Neg,
    /// |x|
    Abs,
    /// -1, 0 or 1
    Sign,
    /// e^x
    Exp,
    /// e^x - 1
    ExpM1,
    /// ln x
    Log,
    /// ln (1 + x)
    Log1p,
    /// square root
    Sqrt,
    /// 1 / square root
    Rsqrt,
    /// hyperbolic tangent
    Tanh,
    /// 1 / (1 + e^-x)
    Logistic,
    /// sine
    Sin,
    /// cosine
    Cos,
    /// largest integer not above
    Floor,
    /// smallest integer not below
    Ceil,
    /// logical not (booleans)
    Not,
    /// neither infinite nor NaN (gives booleans)
    IsFinite,
}

/// Two inputs of one shape, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a b
    Mul,
    /// a / b (integers: towards zero)
    Div,
    /// remainder of `Div`
    Rem,
    /// a^b
    Pow,
    /// the larger
    Max,
    /// the smaller
    Min,
    /// logical and (booleans)
    And,
    /// logical or (booleans)
    Or,
    /// a without its lowest b bits, which move down (u32, b below 32)
    ShiftRight,
}

/// Direction of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// a = b
    Eq,
    /// a != b
    Ne,
    /// a < b
    Lt,
    /// a <= b
    Le,
    /// a > b
    Gt,
    /// a >= b
    Ge,
}

/// How a reduction, or a reducing collective, combines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// sum, zero for nothing
    Sum,
    /// largest
    Max,
    /// smallest
    Min,
}

/// A number with the equality of its bits, so that operations can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl From<f64> for Bits {
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}

impl Bits {
    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// An operation. Inputs and the result shape are kept by the node that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// An argument of the program.
    Parameter {
        /// Unique in the graph; the caller binds buffers by it.
        name: String,
    },
    /// The same number everywhere.
    Constant(Bits),
    /// Given numbers, row-major.
    Literal(Vec<Bits>),
    /// 0, 1, 2, ... along a dim.
    Iota {
        /// The dim counted.
        dim: Name,
    },
    /// Number of the device that runs the program, in mesh order (i32 scalar).
    RankId,
    /// Element by element on one input.
    Unary(Unary),
    /// Element by element on two inputs.
    Binary(Binary),
    /// Comparison, gives booleans.
    Compare(Compare),
    /// condition, on true, on false.
    Select,
    /// To the element type of the result.
    Convert,
    /// The same bits as another type of as many.
    Bitcast,
    /// The value itself; no gradient passes.
    StopGradient,
    /// The value itself, kept by the compiler as a boundary that nothing is moved across.
    Barrier,
    /// Repeats along the dims of the result that the input lacks.
    Broadcast,
    /// The dims of the result are those of the input in another order.
    Transpose,
    /// The same elements in row-major order under other dims.
    Reshape,
    /// Other names for the same dims; costs nothing.
    Rename,
    /// A range of one dim.
    Slice {
        /// The dim cut.
        dim: Name,
        /// First index kept.
        start: usize,
    },
    /// Zeros around one dim.
    Pad {
        /// The dim extended.
        dim: Name,
        /// Zeros in front; the result's size says how many behind.
        low: usize,
    },
    /// The inputs one after another along a dim.
    Concat {
        /// The dim joined.
        dim: Name,
    },
    /// One dim backwards.
    Reverse {
        /// The dim turned round.
        dim: Name,
    },
    /// A window of the result's shape whose start along `dim` is the second input (i32 scalar, clamped).
    DynamicSlice {
        /// The dim cut.
        dim: Name,
    },
    /// The first input with the second written over it at the third along `dim` (i32 scalar, clamped).
    DynamicUpdate {
        /// The dim written.
        dim: Name,
    },
    /// Combines over dims, which disappear.
    Reduce {
        /// How.
        reduction: Reduction,
        /// Over which.
        dims: Vec<Name>,
    },
    /// Sum of products over `contract`; other dims of one name are batch dims. Result dims: batch, those of
    /// the left input, those of the right.
    Dot {
        /// Dims summed over.
        contract: Vec<Name>,
    },
    /// `out[i.., rest] = table[index[i..], rest]`. Inputs: table, index. Its gradient is a scatter;
    /// [`Value::gathered_sum`](crate::Value::gathered_sum) has one that is not.
    Take {
        /// The table's dim that `index` runs over.
        dim: Name,
    },
    /// `out[v, rest] = sum of updates[i.., rest] where index[i..] = v`. Inputs: index, updates.
    ScatterAdd {
        /// The new dim that `index` runs over.
        dim: Name,
    },
    /// Rows of equal-sized blocks times the weights of each block's slot. Inputs: rows {row, contract},
    /// weights {slot, ..}, block_slot {block} i32. Rows of an unused block are zero.
    GroupedDot {
        /// The dim summed over.
        contract: Name,
    },
    /// The weight gradient of `GroupedDot`: for every slot the sum over its blocks of leftᵀ right. Inputs:
    /// left {row, a}, right {row, b}, block_slot {block}; result {slot, a, b}.
    GroupedOuter,
    /// One result of a computation that has several, and perhaps a kernel: see [`Composite`].
    Composite {
        /// What is computed.
        what: Composite,
        /// Which of its results this node is.
        result: usize,
    },
    /// Combines over the devices of each group; every device gets the result.
    AllReduce {
        /// How.
        reduction: Reduction,
        /// Mesh axes that a group spans.
        axes: Vec<Name>,
    },
    /// Concatenates the devices' values along `dim`.
    AllGather {
        /// The dim that grows.
        dim: Name,
        /// Mesh axes that a group spans.
        axes: Vec<Name>,
    },
    /// Sums over the devices; each keeps its own piece of `dim`.
    ReduceScatter {
        /// The dim that shrinks.
        dim: Name,
        /// Mesh axes that a group spans.
        axes: Vec<Name>,
    },
    /// Piece `d` of `dim` goes to device `d`; the result holds at place `s` what device `s` sent.
    AllToAll {
        /// The dim whose size is the group's.
        dim: Name,
        /// Mesh axes that a group spans.
        axes: Vec<Name>,
    },
    /// The values move to the next device of the group, in a ring.
    RingShift {
        /// Mesh axis of the ring.
        axis: Name,
        /// How many places forward.
        by: usize,
    },
}

impl Op {
    /// Short name for messages and tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Parameter { .. } => "parameter",
            Self::Constant(_) => "constant",
            Self::Literal(_) => "literal",
            Self::Iota { .. } => "iota",
            Self::RankId => "rank_id",
            Self::Unary(u) => u.name(),
            Self::Binary(b) => b.name(),
            Self::Compare(_) => "compare",
            Self::Select => "select",
            Self::Convert => "convert",
            Self::Bitcast => "bitcast_convert",
            Self::StopGradient => "stop_gradient",
            Self::Barrier => "barrier",
            Self::Broadcast => "broadcast",
            Self::Transpose => "transpose",
            Self::Reshape => "reshape",
            Self::Rename => "rename",
            Self::Slice { .. } => "slice",
            Self::Pad { .. } => "pad",
            Self::Concat { .. } => "concat",
            Self::Reverse { .. } => "reverse",
            Self::DynamicSlice { .. } => "dynamic_slice",
            Self::DynamicUpdate { .. } => "dynamic_update",
            Self::Reduce { .. } => "reduce",
            Self::Dot { .. } => "dot",
            Self::Take { .. } => "take",
            Self::ScatterAdd { .. } => "scatter_add",
            Self::GroupedDot { .. } => "grouped_dot",
            Self::GroupedOuter => "grouped_outer",
            Self::Composite { what, .. } => what.name(),
            Self::AllReduce { .. } => "all_reduce",
            Self::AllGather { .. } => "all_gather",
            Self::ReduceScatter { .. } => "reduce_scatter",
            Self::AllToAll { .. } => "all_to_all",
            Self::RingShift { .. } => "ring_shift",
        }
    }

    /// Whether devices exchange data.
    pub fn is_collective(&self) -> bool {
        self.axes().is_some()
    }

    /// Mesh axes that a group spans, where devices exchange data.
    pub fn axes(&self) -> Option<&[Name]> {
        match self {
            Self::AllReduce { axes, .. }
            | Self::AllGather { axes, .. }
            | Self::ReduceScatter { axes, .. }
            | Self::AllToAll { axes, .. } => Some(axes),
            Self::RingShift { axis, .. } => Some(std::slice::from_ref(axis)),
            _ => None,
        }
    }
}

impl Unary {
    /// Name of the operation, in StableHLO's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neg => "negate",
            Self::Abs => "abs",
            Self::Sign => "sign",
            Self::Exp => "exponential",
            Self::ExpM1 => "exponential_minus_one",
            Self::Log => "log",
            Self::Log1p => "log_plus_one",
            Self::Sqrt => "sqrt",
            Self::Rsqrt => "rsqrt",
            Self::Tanh => "tanh",
            Self::Logistic => "logistic",
            Self::Sin => "sine",
            Self::Cos => "cosine",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Not => "not",
            Self::IsFinite => "is_finite",
        }
    }
}

impl Binary {
    /// Name of the operation, in StableHLO's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "subtract",
            Self::Mul => "multiply",
            Self::Div => "divide",
            Self::Rem => "remainder",
            Self::Pow => "power",
            Self::Max => "maximum",
            Self::Min => "minimum",
            Self::And => "and",
            Self::Or => "or",
            Self::ShiftRight => "shift_right_logical",
        }
    }
}

impl Compare {
    /// Name of the direction, in StableHLO's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "EQ",
            Self::Ne => "NE",
            Self::Lt => "LT",
            Self::Le => "LE",
            Self::Gt => "GT",
            Self::Ge => "GE",
        }
    }
}

impl Reduction {
    /// The StableHLO operation that combines two values.
    pub fn combiner(self) -> &'static str {
        match self {
            Self::Sum => "add",
            Self::Max => "maximum",
            Self::Min => "minimum",
        }
    }

    /// What nothing reduces to.
    pub fn identity(self) -> f64 {
        match self {
            Self::Sum => 0.0,
            Self::Max => f64::NEG_INFINITY,
            Self::Min => f64::INFINITY,
        }
    }
}
