//! A backend against the reference evaluator.

use collegium_core::{DType, HostTensor};
use collegium_runtime::{Array, Backend, EvalBackend, RuntimeError};

use crate::{OpCase, TestkitError};

/// How far apart two results of one element type may be: the norm of the difference over the norm of the reference, and
/// the largest difference over the largest reference. Integers and booleans must be equal. A sum of n products loses up
/// to sqrt(n) units in the last place, and compilers keep bf16 intermediates wider or narrower than the program says.
pub const LIMITS: [(DType, f64, f64); 4] = [
    (DType::F64, 1e-12, 1e-11),
    (DType::F32, 2e-6, 1e-5),
    (DType::F16, 2e-3, 4e-3),
    (DType::Bf16, 8e-3, 2e-2),
];

/// One output of one case on one device.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The case.
    pub case: String,
    /// The output.
    pub output: String,
    /// The device.
    pub device: usize,
    /// Norm of the difference over norm of the reference.
    pub norm_error: f64,
    /// Largest difference over largest reference.
    pub worst_error: f64,
    /// What the two may be.
    pub limits: (f64, f64),
}

impl Agreement {
    /// Whether both errors are within their limits.
    pub fn holds(&self) -> bool {
        self.norm_error <= self.limits.0 && self.worst_error <= self.limits.1
    }
}

/// Runs every case for as many devices as the backend has, and compares every output with the reference.
///
/// # Errors
/// The first case that does not build or that the backend refuses.
pub fn check(backend: &dyn Backend, cases: &[OpCase]) -> Result<Vec<Agreement>, TestkitError> {
    let mut found = Vec::new();
    for case in cases.iter().filter(|c| c.num_devices() == backend.num_devices()) {
        let program = case.program()?;
        let refused = |backend: &dyn Backend, error: RuntimeError| TestkitError::Run {
            case: case.name.clone(),
            backend: backend.name().into(),
            source: Box::new(error),
        };
        let values = case.values(&program);
        let reference = EvalBackend::new(case.num_devices());
        let expected = run(&reference, &program, &values).map_err(|e| refused(&reference, e))?;
        let given = run(backend, &program, &values).map_err(|e| refused(backend, e))?;
        for ((name, _), (expected, given)) in program.outputs().zip(expected.iter().zip(&given)) {
            for (device, (expected, given)) in expected.iter().zip(given).enumerate() {
                found.push(compare(&case.name, name, device, expected, given));
            }
        }
    }
    Ok(found)
}

fn run(
    backend: &dyn Backend,
    program: &collegium_hlo::Program,
    values: &[Vec<HostTensor>],
) -> Result<Vec<Vec<HostTensor>>, RuntimeError> {
    let arrays = values.iter().map(|pieces| backend.upload(pieces)).collect::<Result<Vec<Array>, _>>()?;
    backend.compile(program)?.run(arrays)?.iter().map(Array::download).collect()
}

fn compare(case: &str, output: &str, device: usize, expected: &HostTensor, given: &HostTensor) -> Agreement {
    let limits = LIMITS.iter().find(|l| l.0 == expected.dtype()).map_or((0.0, 0.0), |l| (l.1, l.2));
    let same_shape = expected.dtype() == given.dtype() && expected.sizes() == given.sizes();
    let (norm_error, worst_error) =
        if same_shape { errors(&expected.to_f64(), &given.to_f64()) } else { (f64::INFINITY, f64::INFINITY) };
    Agreement { case: case.into(), output: output.into(), device, norm_error, worst_error, limits }
}

/// Both errors of `given`; infinite where one side is not finite and the other is something else.
fn errors(expected: &[f64], given: &[f64]) -> (f64, f64) {
    let (mut norm, mut difference, mut largest, mut worst) = (0f64, 0f64, 0f64, 0f64);
    for (&e, &g) in expected.iter().zip(given) {
        if e == g || (e.is_nan() && g.is_nan()) {
            norm += if e.is_finite() { e * e } else { 0.0 };
            largest = largest.max(if e.is_finite() { e.abs() } else { 0.0 });
            continue;
        }
        if !e.is_finite() || !g.is_finite() {
            return (f64::INFINITY, f64::INFINITY);
        }
        norm += e * e;
        difference += (e - g).powi(2);
        largest = largest.max(e.abs());
        worst = worst.max((e - g).abs());
    }
    (ratio(difference.sqrt(), norm.sqrt()), ratio(worst, largest))
}

/// Nothing is far from nothing: a reference of zeros allows what would round to zero in single precision.
fn ratio(difference: f64, reference: f64) -> f64 {
    difference / reference.max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_relative_and_strict_on_what_is_not_finite() {
        assert_eq!(errors(&[1.0, f64::NAN, f64::INFINITY], &[1.0, f64::NAN, f64::INFINITY]), (0.0, 0.0));
        assert_eq!(errors(&[3.0, 4.0], &[3.0, 4.5]), (0.1, 0.125));
        assert_eq!(errors(&[f64::INFINITY], &[1e30]).0, f64::INFINITY);
        assert_eq!(errors(&[1.0], &[f64::NAN]).1, f64::INFINITY);
    }

    #[test]
    fn integers_must_be_equal() {
        let one = HostTensor::scalar(1_000_000i32);
        assert!(compare("case", "y", 0, &one, &one).holds());
        assert!(!compare("case", "y", 0, &one, &HostTensor::scalar(1_000_001i32)).holds());
        assert!(!compare("case", "y", 0, &one, &HostTensor::scalar(1e6f32)).holds());
    }
}
