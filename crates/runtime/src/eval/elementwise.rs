//! One number at a time.

use collegium_core::DType;
use collegium_hlo::{Binary, Compare, Reduction, Unary};

use super::number::wrap;

pub(super) fn unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign => {
            if x == 0.0 || x.is_nan() {
                x
            } else {
                x.signum()
            }
        }
        Unary::Exp => x.exp(),
        Unary::ExpM1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Log1p => x.ln_1p(),
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Tanh => x.tanh(),
        Unary::Logistic => 1.0 / (1.0 + (-x).exp()),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Floor => x.floor(),
        Unary::Ceil => x.ceil(),
        Unary::Not => 1.0 - x,
        Unary::IsFinite => f64::from(x.is_finite()),
    }
}

pub(super) fn binary(op: Binary, dtype: DType, a: f64, b: f64) -> f64 {
    if dtype.is_integer() {
        return wrap(dtype, integer(op, a as i128, b as i128));
    }
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul | Binary::And => a * b,
        Binary::Div => a / b,
        Binary::Rem => a % b,
        Binary::Pow => a.powf(b),
        Binary::Max | Binary::Or => larger(a, b),
        Binary::Min => smaller(a, b),
        Binary::ShiftRight => unreachable!("only of u32"),
    }
}

/// Integers are computed wide and wrapped afterwards: the product of two i32 does not fit a float. Dividing by zero
/// gives what XLA gives, since a lane that is masked later may do it.
fn integer(op: Binary, a: i128, b: i128) -> i128 {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul | Binary::And => a * b,
        Binary::Div => {
            if b == 0 {
                -1
            } else {
                a / b
            }
        }
        Binary::Rem => {
            if b == 0 {
                a
            } else {
                a % b
            }
        }
        Binary::Pow => power(a, b),
        Binary::Max | Binary::Or => a.max(b),
        Binary::Min => a.min(b),
        Binary::ShiftRight => a >> b,
    }
}

fn power(a: i128, b: i128) -> i128 {
    match (a, b) {
        (1, _) => 1,
        (-1, _) => {
            if b % 2 == 0 {
                1
            } else {
                -1
            }
        }
        (_, ..=-1) => 0,
        // Wrapping commutes with products, so the widest type wraps as well as the narrow one.
        _ => (0..b).fold(1i128, |p, _| p.wrapping_mul(a)),
    }
}

pub(super) fn compare(op: Compare, a: f64, b: f64) -> f64 {
    f64::from(match op {
        Compare::Eq => a == b,
        Compare::Ne => a != b,
        Compare::Lt => a < b,
        Compare::Le => a <= b,
        Compare::Gt => a > b,
        Compare::Ge => a >= b,
    })
}

/// Combines many numbers.
pub(super) fn reduce(reduction: Reduction, values: impl Iterator<Item = f64>) -> f64 {
    match reduction {
        Reduction::Sum => values.sum(),
        Reduction::Max => values.fold(reduction.identity(), larger),
        Reduction::Min => values.fold(reduction.identity(), smaller),
    }
}

/// Unlike `f64::max`, NaN wins: as on devices, and so that a NaN is never hidden.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_and_wrap() {
        let mul = |a, b| binary(Binary::Mul, DType::I32, a, b);
        assert_eq!(mul(65_537.0, 65_537.0), 131_073.0);
        assert_eq!(binary(Binary::Mul, DType::U32, 4_294_967_295.0, 4_294_967_295.0), 1.0);
        assert_eq!(binary(Binary::Div, DType::I32, -7.0, 2.0), -3.0);
        assert_eq!(binary(Binary::Rem, DType::I32, -7.0, 2.0), -1.0);
        assert_eq!(binary(Binary::Pow, DType::I32, -2.0, 3.0), -8.0);
    }

    #[test]
    fn a_nan_is_never_hidden() {
        assert!(binary(Binary::Max, DType::F32, f64::NAN, 1.0).is_nan());
        assert!(binary(Binary::Min, DType::F32, 1.0, f64::NAN).is_nan());
        assert!(reduce(Reduction::Max, [1.0, f64::NAN, 2.0].into_iter()).is_nan());
        assert!(unary(Unary::Sign, f64::NAN).is_nan());
    }
}
