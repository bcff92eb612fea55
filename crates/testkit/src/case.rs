//! One entry of the table.

use collegium_core::{DType, HostTensor};
use collegium_hlo::{Dim, Graph, Mesh, Name, Program, Shape, Value, gradient};

use crate::TestkitError;
use crate::random::Random;

/// Builds the case's result from its inputs.
pub type Build = for<'g> fn(&'g Graph, &[Value<'g>]) -> Value<'g>;

/// One operation at one shape and element type, with everything that all suites need.
#[derive(Clone, Debug)]
pub struct OpCase {
    /// Unique; also the name of its golden file.
    pub name: String,
    /// Axes of its mesh.
    pub axes: Vec<(Name, usize)>,
    /// Inputs, in order.
    pub inputs: Vec<Input>,
    /// The result from the inputs.
    pub build: Build,
    /// What is known of its gradient.
    pub gradient: Gradient,
}

/// An input of a case.
#[derive(Clone, Debug)]
pub struct Input {
    /// Element type and dims.
    pub shape: Shape,
    /// Where its values come from.
    pub fill: Fill,
}

/// Values of an input; random ones differ from device to device.
#[derive(Clone, Debug)]
pub enum Fill {
    /// Uniform between two numbers.
    Between(f64, f64),
    /// Whole numbers below a bound.
    Below(usize),
    /// All different and far apart, in random order, so that the largest is beyond doubt.
    Distinct,
    /// These, on every device.
    Given(Vec<f64>),
}

/// What is known of a case's gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gradient {
    /// It is the derivative: finite differences must agree.
    Derivative,
    /// It is something else on purpose; it is built and run, not compared with finite differences.
    Chosen,
    /// There is none.
    None,
}

impl Input {
    /// An input of uniform numbers that suit most functions.
    pub fn new(dtype: DType, dims: &[Dim]) -> Self {
        Self { shape: Shape::new(dtype, dims), fill: Fill::Between(-2.0, 2.0) }
    }

    /// The same input with other values.
    pub fn fill(mut self, fill: Fill) -> Self {
        self.fill = fill;
        self
    }

    fn values(&self, random: &mut Random) -> Vec<f64> {
        let count = self.shape.num_elements();
        match &self.fill {
            Fill::Between(low, high) => (0..count).map(|_| random.between(*low, *high)).collect(),
            Fill::Below(end) => (0..count).map(|_| random.below(*end) as f64).collect(),
            Fill::Distinct => {
                let mut values: Vec<f64> =
                    (0..count).map(|i| (i as f64 - count as f64 / 2.0) / 4.0).collect();
                (1..count).rev().for_each(|i| values.swap(i, random.below(i + 1)));
                values
            }
            Fill::Given(values) => values.clone(),
        }
    }
}

impl OpCase {
    /// A case on one device with a gradient, where its result is a float.
    pub fn new(name: impl Into<String>, inputs: Vec<Input>, build: Build) -> Self {
        Self { name: name.into(), axes: Vec::new(), inputs, build, gradient: Gradient::Derivative }
    }

    /// The same case on the devices of a mesh.
    pub fn on(mut self, axes: &[(Name, usize)]) -> Self {
        self.axes = axes.to_vec();
        self
    }

    /// The same case with another claim on its gradient.
    pub fn gradient(mut self, gradient: Gradient) -> Self {
        self.gradient = gradient;
        self
    }

    /// Devices it runs on.
    pub fn num_devices(&self) -> usize {
        self.mesh().num_devices()
    }

    fn mesh(&self) -> Mesh {
        Mesh::new(&self.axes)
    }

    /// The operation and its gradient. Inputs: `x0`, `x1`, ... and `cotangent`; outputs: `y`, and `d0`, `d1`, ... for
    /// the float inputs.
    ///
    /// # Errors
    /// A case that does not build.
    pub fn program(&self) -> Result<Program, TestkitError> {
        let g = Graph::new(self.mesh());
        let parameter =
            |(i, input): (usize, &Input)| g.parameter(format!("x{i}"), input.shape.dtype, &input.shape.dims);
        let inputs: Vec<Value<'_>> = self.inputs.iter().enumerate().map(parameter).collect();
        let y = (self.build)(&g, &inputs);
        let mut outputs = vec![("y".to_string(), y)];
        let floats = self.differentiable(y.dtype());
        if !floats.is_empty() {
            let cotangent = g.parameter("cotangent", y.dtype(), &y.shape().dims);
            let wrt: Vec<Value<'_>> = floats.iter().map(|&i| inputs[i]).collect();
            let gradients = gradient(&[(y, cotangent)], &wrt);
            outputs.extend(floats.iter().zip(gradients).map(|(i, d)| (format!("d{i}"), d)));
        }
        let outputs: Vec<(&str, Value<'_>)> = outputs.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        let build = |source| TestkitError::Build { case: self.name.clone(), source };
        g.finish(&self.name, &outputs).map_err(build)
    }

    /// Positions of the inputs that have a gradient.
    fn differentiable(&self, result: DType) -> Vec<usize> {
        if self.gradient == Gradient::None || !result.is_float() {
            return Vec::new();
        }
        (0..self.inputs.len()).filter(|&i| self.inputs[i].shape.dtype.is_float()).collect()
    }

    /// Values of every input of `program`, on every device, each a number of its element type.
    pub fn values(&self, program: &Program) -> Vec<Vec<HostTensor>> {
        let cotangent = |shape: &Shape| Input { shape: shape.clone(), fill: Fill::Between(-1.0, 1.0) };
        let tensor = |name: &str, shape: &Shape, device: usize| {
            let position: Option<usize> = name.strip_prefix('x').and_then(|i| i.parse().ok());
            let input = position.map_or_else(|| cotangent(shape), |i| self.inputs[i].clone());
            let stream = device * 100 + position.unwrap_or(99);
            HostTensor::from_f64(
                shape.dtype,
                &shape.sizes(),
                &input.values(&mut Random::of(&self.name, stream)),
            )
        };
        let devices = self.num_devices();
        program.inputs().map(|(name, shape)| (0..devices).map(|d| tensor(name, shape, d)).collect()).collect()
    }
}
