//! Gradients against central differences, in f64 throughout.
//!
//! `L = sum over devices and elements of y * cotangent`; for an element `x` of one device,
//! `dL/dx = (L(x + h) - L(x - h)) / 2h + O(h²)`. With h = 1e-5 both the curvature (1e-10) and the rounding (1e-11) are far
//! below the limit, so that a wrong factor cannot hide.

use collegium_core::HostTensor;
use collegium_hlo::Program;
use collegium_runtime::RuntimeError;
use collegium_runtime::eval::{Pieces, Rounding, evaluate};

use crate::random::Random;
use crate::{OpCase, TestkitError};

/// Norm of the difference over norm of the gradient that is still right.
pub const LIMIT: f64 = 1e-7;
const STEP: f64 = 1e-5;
/// Elements tried per input and device; enough to meet each kind of place of a small tensor.
const SAMPLES: usize = 40;

/// The gradient of one input against differences.
#[derive(Clone, Debug)]
pub struct Check {
    /// The case.
    pub case: String,
    /// Name of the gradient, for example `d0`.
    pub output: String,
    /// Norm of the difference over norm of the differences.
    pub error: f64,
}

/// Checks every gradient of a case.
///
/// # Errors
/// A case that does not build or evaluate.
pub fn check(case: &OpCase) -> Result<Vec<Check>, TestkitError> {
    let program = case.program()?;
    let refused = |error: RuntimeError| TestkitError::Run {
        case: case.name.clone(),
        backend: "eval".into(),
        source: Box::new(error),
    };
    let tensors = case.values(&program);
    let mut inputs: Vec<Pieces> =
        tensors.iter().map(|pieces| pieces.iter().map(HostTensor::to_f64).collect()).collect();
    let results = evaluate(&program, &inputs, Rounding::Never).map_err(refused)?;
    let mut checks = Vec::new();
    for ((name, _), gradient) in program.outputs().zip(&results).skip(1) {
        let parameter = name.replace('d', "x");
        // An input that the result does not depend on is no parameter of the program.
        let Some(input) = program.inputs().position(|i| i.0 == parameter) else { continue };
        let error = error(&program, &mut inputs, input, gradient).map_err(refused)?;
        checks.push(Check { case: case.name.clone(), output: name.into(), error });
    }
    Ok(checks)
}

fn error(
    program: &Program,
    inputs: &mut [Pieces],
    input: usize,
    gradient: &Pieces,
) -> Result<f64, RuntimeError> {
    let mut random = Random::of(&program.name, input);
    let (mut difference, mut norm) = (0f64, 0f64);
    for device in 0..gradient.len() {
        let count = gradient[device].len();
        for sample in 0..count.min(SAMPLES) {
            let element = if count <= SAMPLES { sample } else { random.below(count) };
            let original = inputs[input][device][element];
            let mut loss_at = |value: f64| {
                inputs[input][device][element] = value;
                loss(program, inputs)
            };
            let slope = (loss_at(original + STEP)? - loss_at(original - STEP)?) / (2.0 * STEP);
            inputs[input][device][element] = original;
            difference += (slope - gradient[device][element]).powi(2);
            norm += slope.powi(2);
        }
    }
    Ok(difference.sqrt() / norm.sqrt().max(1e-3))
}

/// The sum over all devices of result times cotangent.
fn loss(program: &Program, inputs: &[Pieces]) -> Result<f64, RuntimeError> {
    let cotangent = program.inputs().position(|i| i.0 == "cotangent");
    let y = &evaluate(program, inputs, Rounding::Never)?[0];
    let weights = cotangent.map(|at| &inputs[at]);
    let weight = |device: usize, i: usize| weights.map_or(0.0, |w| w[device][i]);
    Ok(y.iter()
        .enumerate()
        .flat_map(|(d, v)| v.iter().enumerate().map(move |(i, y)| (d, i, y)))
        .map(|(d, i, y)| y * weight(d, i))
        .sum())
}
