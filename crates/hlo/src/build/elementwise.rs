//! Element-by-element operations. Inputs are broadcast by dim name: the dims of one must include, by name and
//! size, those of the other.

use std::ops;

use collegium_core::DType;

use crate::op::{Binary, Compare, Unary};
use crate::{Op, Shape, Value};

/// Largest number that [`Value::quotient`] divides exactly.
pub const MOST_DIVIDED: usize = 1 << 22;

macro_rules! unary {
    ($($(#[$doc:meta])* $method:ident => $op:ident),* $(,)?) => {
        // `not` is named like the others; booleans have no operators here.
        #[allow(clippy::should_implement_trait)]
        impl<'g> Value<'g> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(self) -> Self { self.unary(Unary::$op) }
        )* }
    };
}
unary! {
    /// |x|
    abs => Abs,
    /// -1, 0 or 1
    sign => Sign,
    /// e^x
    exp => Exp,
    /// e^x - 1, exact near zero
    exp_m1 => ExpM1,
    /// ln x
    log => Log,
    /// ln (1 + x), exact near zero
    log1p => Log1p,
    /// square root
    sqrt => Sqrt,
    /// 1 / square root
    rsqrt => Rsqrt,
    /// hyperbolic tangent
    tanh => Tanh,
    /// 1 / (1 + e^-x)
    logistic => Logistic,
    /// sine
    sin => Sin,
    /// cosine
    cos => Cos,
    /// largest integer not above
    floor => Floor,
    /// smallest integer not below
    ceil => Ceil,
    /// logical not
    not => Not,
    /// neither infinite nor NaN
    is_finite => IsFinite,
}

macro_rules! binary {
    ($($(#[$doc:meta])* $method:ident => $op:ident),* $(,)?) => {
        // `rem` is named like the others; `%` would suggest the sign of mathematics.
        #[allow(clippy::should_implement_trait)]
        impl<'g> Value<'g> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(self, other: Self) -> Self { self.binary(Binary::$op, other) }
        )* }
    };
}
binary! {
    /// self to the power of other
    pow => Pow,
    /// the larger
    max => Max,
    /// the smaller
    min => Min,
    /// remainder of the division
    rem => Rem,
    /// logical and
    and => And,
    /// logical or
    or => Or,
    /// without the lowest `other` bits, which move down (u32)
    shift_right => ShiftRight,
}

macro_rules! compare {
    ($($(#[$doc:meta])* $method:ident => $op:ident),* $(,)?) => {
        impl<'g> Value<'g> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(self, other: Self) -> Self { self.compare(Compare::$op, other) }
        )* }
    };
}
compare! {
    /// self = other
    equals => Eq,
    /// self != other
    differs => Ne,
    /// self < other
    less => Lt,
    /// self <= other
    at_most => Le,
    /// self > other
    greater => Gt,
    /// self >= other
    at_least => Ge,
}

macro_rules! operator {
    ($($trait:ident $method:ident $op:ident),*) => { $(
        impl<'g> ops::$trait for Value<'g> {
            type Output = Value<'g>;
            #[track_caller]
            fn $method(self, other: Self) -> Self { self.binary(Binary::$op, other) }
        }
        impl<'g> ops::$trait<f64> for Value<'g> {
            type Output = Value<'g>;
            #[track_caller]
            fn $method(self, other: f64) -> Self {
                let other = self.graph.scalar(self.dtype(), other);
                self.binary(Binary::$op, other)
            }
        }
    )* };
}
operator!(Add add Add, Sub sub Sub, Mul mul Mul, Div div Div);

impl<'g> ops::Neg for Value<'g> {
    type Output = Value<'g>;
    #[track_caller]
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

impl<'g> Value<'g> {
    #[track_caller]
    pub(crate) fn unary(self, op: Unary) -> Self {
        let shape = self.shape();
        let (allowed, wanted) = match op {
            Unary::Not => (shape.dtype == DType::Bool, "a boolean"),
            Unary::Neg | Unary::Abs | Unary::Sign => (shape.dtype != DType::Bool, "a number"),
            _ => (shape.dtype.is_float(), "a float"),
        };
        if !allowed {
            return self
                .graph
                .fail(format!("{}: wants {wanted} type, got {shape}; convert it first", op.name()));
        }
        let dtype = if op == Unary::IsFinite { DType::Bool } else { shape.dtype };
        self.derive(Op::Unary(op), shape.with_dtype(dtype))
    }

    #[track_caller]
    pub(crate) fn binary(self, op: Binary, other: Self) -> Self {
        let Some((a, b, shape)) = self.align(op.name(), other) else { return self };
        let logical = matches!(op, Binary::And | Binary::Or);
        let shifts = op == Binary::ShiftRight;
        if logical != (shape.dtype == DType::Bool) || shifts && shape.dtype != DType::U32 {
            return self.graph.fail(format!("{}: does not apply to {}", op.name(), shape.dtype));
        }
        self.graph.push(Op::Binary(op), &[a.id, b.id], shape)
    }

    #[track_caller]
    fn compare(self, op: Compare, other: Self) -> Self {
        let Some((a, b, shape)) = self.align("compare", other) else { return self };
        self.graph.push(Op::Compare(op), &[a.id, b.id], shape.with_dtype(DType::Bool))
    }

    /// Where `self` (boolean) holds, `on_true`, elsewhere `on_false`.
    #[track_caller]
    pub fn select(self, on_true: Self, on_false: Self) -> Self {
        if self.dtype() != DType::Bool {
            return self.graph.fail(format!("select: the condition must be boolean, got {}", self.shape()));
        }
        let Some((a, b, values)) = on_true.align("select", on_false) else { return self };
        let Some(shape) = join(&self.shape(), &values) else {
            return self.mismatch("select", &self.shape(), &values);
        };
        let shape = shape.with_dtype(values.dtype);
        let condition = self.broadcast(&shape.dims);
        let (a, b) = (a.broadcast(&shape.dims), b.broadcast(&shape.dims));
        self.graph.push(Op::Select, &[condition.id, a.id, b.id], shape)
    }

    /// To another element type (floats to integers: towards zero).
    pub fn convert(self, dtype: DType) -> Self {
        let shape = self.shape();
        if shape.dtype == dtype { self } else { self.derive(Op::Convert, shape.with_dtype(dtype)) }
    }

    /// The same bits as another type of as many.
    pub fn bitcast(self, dtype: DType) -> Self {
        self.derive(Op::Bitcast, self.shape().with_dtype(dtype))
    }

    /// Whole part of `self / by` for i32 from 0 to [`MOST_DIVIDED`], computed in f32: a division of integers is off by one here and there on Neuron.
    /// Half a step keeps the value off the multiples of `by`, where rounding would decide.
    #[track_caller]
    pub fn quotient(self, by: usize) -> Self {
        if by == 1 {
            self
        } else {
            ((self.convert(DType::F32) + 0.5) / by as f64).floor().convert(DType::I32)
        }
    }

    /// The same value, through which no gradient passes.
    pub fn stop_gradient(self) -> Self {
        self.derive(Op::StopGradient, self.shape())
    }

    /// The same value, across which the compiler moves nothing.
    pub fn barrier(self) -> Self {
        self.derive(Op::Barrier, self.shape())
    }

    /// `self * logistic(self)`.
    #[track_caller]
    pub fn silu(self) -> Self {
        self * self.logistic()
    }

    /// Both values under one shape, or an error.
    #[track_caller]
    fn align(self, what: &str, other: Self) -> Option<(Self, Self, Shape)> {
        let (a, b) = (self.shape(), other.shape());
        if a.dtype != b.dtype {
            self.graph.fail(format!("{what}: element types differ, {a} and {b}; convert one of them"));
            return None;
        }
        let Some(shape) = join(&a, &b) else {
            self.mismatch(what, &a, &b);
            return None;
        };
        Some((self.broadcast(&shape.dims), other.broadcast(&shape.dims), shape))
    }

    #[track_caller]
    fn mismatch(self, what: &str, a: &Shape, b: &Shape) -> Self {
        self.graph.fail(format!(
            "{what}: dims of one side must include the other's, by name and size; got {a} and {b}"
        ))
    }
}

/// The larger of two shapes, where it includes the other.
fn join(a: &Shape, b: &Shape) -> Option<Shape> {
    let (large, small) = if b.dims.len() > a.dims.len() { (b, a) } else { (a, b) };
    small.dims.iter().all(|d| large.dims.contains(d)).then(|| large.clone())
}
