//! Programs that are one chain of kernels, run by the thread that asks for them: no compiler, no plugin between kernels and buffers. A step of serving on one CPU device is such a
//! program, and the plugin's share of it was a tenth.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use collegium_core::{DType, HostTensor};
use collegium_hlo::{ChainProgram, Program, Source};
use collegium_kernels::handlers::{self, BufferView, BufferViewMut, Operand, Steps};
use collegium_pjrt::{Buffer, Client};

use crate::backend::check_inputs;
use crate::pjrt::{PjrtBuffer, own, shared, taken};
use crate::{Array, Executable, RuntimeError};

/// A program of kernels alone.
pub(crate) struct ChainExecutable {
    program: Program,
    client: Client,
    kernels: String,
    names: String,
    steps: Vec<i64>,
    operands: Vec<(Given, Vec<i64>)>,
    results: Vec<Made>,
    /// By output of the program, the result that it is.
    outputs: Vec<usize>,
    room: Room,
}

/// Where results of a launch lie that take nobody's place: one for all programs of a device, whose launches take turns.
#[derive(Clone, Default)]
pub(crate) struct Room(Arc<Mutex<Vec<Line>>>);

/// An operand of the chain.
enum Given {
    /// An input of the program.
    Input(usize),
    /// An input in whose place a result lies.
    InPlace(usize, usize),
    /// A constant.
    Constant(HostTensor),
}

/// A result of the chain.
struct Made {
    dtype: DType,
    dims: Vec<i64>,
    /// The lines that it takes of the room; none in the place of an operand.
    lines: Range<usize>,
}

impl Made {
    fn bytes(&self) -> usize {
        self.dims.iter().map(|&d| d as usize).product::<usize>() * self.dtype.size_bytes()
    }
}

/// A line of a cache: no two results share one.
#[repr(C, align(64))]
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
struct Line([u64; 8]);

impl ChainExecutable {
    pub(crate) fn new(client: &Client, room: &Room, program: &Program, chain: ChainProgram) -> Self {
        let ChainProgram { chain, operands, outputs } = chain;
        let dims = |sizes: Vec<usize>| sizes.into_iter().map(|size| size as i64).collect::<Vec<_>>();
        let given = |(at, source): (usize, &Source)| {
            let shape = program.shape(chain.operands[at]);
            let in_place = chain.in_place.iter().find(|pair| pair.0 == at);
            let given = match (*source, in_place) {
                (Source::Input(input), Some(&(_, result))) => Given::InPlace(input, result),
                (Source::Input(input), None) => Given::Input(input),
                (Source::Number(number), _) => {
                    let numbers = vec![number; shape.num_elements()];
                    Given::Constant(HostTensor::from_f64(shape.dtype, &shape.sizes(), &numbers))
                }
            };
            (given, dims(shape.sizes()))
        };
        let mut lines = 0;
        let made = |(at, shape): (usize, &collegium_hlo::Shape)| {
            let mut made = Made { dtype: shape.dtype, dims: dims(shape.sizes()), lines: lines..lines };
            if chain.in_place.iter().all(|pair| pair.1 != at) {
                lines += made.bytes().div_ceil(size_of::<Line>());
                made.lines.end = lines;
            }
            made
        };
        let results: Vec<Made> = chain.results.iter().enumerate().map(made).collect();
        Self {
            operands: operands.iter().enumerate().map(given).collect(),
            kernels: chain.kernels.join(" "),
            names: chain.names.join(" "),
            steps: chain.steps,
            outputs,
            room: room.clone(),
            results,
            program: program.clone(),
            client: client.clone(),
        }
    }

    /// What is changed, by the result that takes its place, and what is read, by the number of the input.
    #[allow(clippy::type_complexity)]
    fn sorted(
        &self,
        inputs: Vec<Array>,
    ) -> Result<(Vec<Option<Buffer>>, Vec<Option<Arc<PjrtBuffer>>>), RuntimeError> {
        let mut pieces: Vec<_> = inputs.into_iter().map(|array| array.pieces.into_iter().next()).collect();
        let mut held: Vec<Option<Buffer>> = self.results.iter().map(|_| None).collect();
        for (given, _) in &self.operands {
            if let Given::InPlace(input, result) = *given {
                let piece = pieces[input].take().expect("inputs were checked, and each is given away once");
                held[result] = Some(taken(&self.program, piece, input)?);
            }
        }
        let lent = |(input, piece): (usize, Option<_>)| {
            piece.map(|piece| shared(&self.program, piece, input)).transpose()
        };
        Ok((held, pieces.into_iter().enumerate().map(lent).collect::<Result<_, _>>()?))
    }

    fn launch(
        &self,
        held: &mut [Option<Buffer>],
        lent: &[Option<Arc<PjrtBuffer>>],
        mut room: &mut [Line],
    ) -> Result<(), RuntimeError> {
        let operands: Vec<Operand<'_>> =
            self.operands.iter().map(|operand| of(operand, lent)).collect::<Result<_, _>>()?;
        let mut results = Vec::with_capacity(self.results.len());
        for (made, held) in self.results.iter().zip(held) {
            let (own, rest) = room.split_at_mut(made.lines.len());
            room = rest;
            let bytes = match held {
                Some(buffer) => buffer.host_bytes_mut()?,
                None => &mut bytemuck::cast_slice_mut(own)[..made.bytes()],
            };
            results.push(BufferViewMut { dtype: made.dtype, dims: &made.dims, bytes });
        }
        let steps = Steps { kernels: &self.kernels, names: &self.names, numbers: &self.steps };
        // As a custom call does it: what a kernel left half written is lost with the launch.
        let ran = catch_unwind(AssertUnwindSafe(|| handlers::chain(&operands, &mut results, steps)));
        let problem = match ran {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "a kernel panicked".into(),
        };
        Err(RuntimeError::Kernel { program: self.program.name.clone(), problem })
    }
}

impl Executable for ChainExecutable {
    fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, RuntimeError> {
        check_inputs(&self.program, &inputs, 1)?;
        let (mut held, lent) = self.sorted(inputs)?;
        let mut room = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = self.results.last().map_or(0, |last| last.lines.end);
        if room.len() < lines {
            room.resize(lines, Line([0; 8]));
        }
        self.launch(&mut held, &lent, &mut room)?;
        let output = |&result: &usize| {
            let made = &self.results[result];
            let buffer = match held[result].take() {
                Some(buffer) => buffer,
                None => {
                    let lines = &room[made.lines.clone()];
                    let sizes: Vec<usize> = made.dims.iter().map(|&d| d as usize).collect();
                    let bytes = &bytemuck::cast_slice(lines)[..made.bytes()];
                    self.client.upload(bytes, made.dtype, &sizes, 0)?
                }
            };
            Ok(Array { pieces: vec![own(buffer)] })
        };
        self.outputs.iter().map(output).collect()
    }
}

/// What a chain is given for an operand.
fn of<'a>(
    (given, dims): &'a (Given, Vec<i64>),
    lent: &'a [Option<Arc<PjrtBuffer>>],
) -> Result<Operand<'a>, RuntimeError> {
    let (dtype, bytes) = match given {
        Given::InPlace(_, result) => return Ok(Operand::InPlace(*result)),
        Given::Constant(tensor) => (tensor.dtype(), tensor.bytes()),
        Given::Input(input) => {
            let buffer = &lent[*input].as_ref().expect("what is read is not given away").0;
            (buffer.dtype(), buffer.host_bytes()?)
        }
    };
    Ok(Operand::Read(BufferView { dtype, dims, bytes }))
}
