//! Kernels that run one after another in one custom call.

use super::{BufferView, BufferViewMut, HANDLERS, Handler, num_in_place};
use crate::ArgumentError;

/// An operand of a chain.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// One that is read.
    Read(BufferView<'a>),
    /// One in whose memory the result of this number lies, which holds its values.
    InPlace(usize),
}

/// What a chain runs, as its attributes say it.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// Names of kernels without their prefix, separated by spaces.
    pub kernels: &'a str,
    /// Names of their attributes.
    pub names: &'a str,
    /// For each kernel its place among `kernels`; how many attributes, and of each the place among `names` and the value; how many operands, and of each the buffer (an operand of the
    /// chain, or behind these a result of a kernel before it), the first element, the rank and the sizes; how many results.
    pub numbers: &'a [i64],
}

/// Runs kernels one after another. `results` are those of all kernels in turn.
///
/// # Errors
/// Steps without meaning, operands that are not there, and what a kernel says; kernels before it have run then.
pub fn chain(
    operands: &[Operand<'_>],
    results: &mut [BufferViewMut<'_>],
    steps: Steps<'_>,
) -> Result<(), ArgumentError> {
    let kernels = steps.kernels.split(' ').map(handler).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = steps.names.split(' ').collect();
    let mut numbers = Numbers(steps.numbers);
    let mut done = 0;
    while !numbers.0.is_empty() {
        let &(name, kernel) = numbers.of("a kernel", &kernels)?;
        let attributes = numbers.attributes(&names)?;
        let (before, rest) = results.split_at_mut(done);
        let args = numbers.operands((operands, before), (num_in_place(name), done))?;
        let count = numbers.size("the number of results")?;
        let own = rest.get_mut(..count).ok_or_else(|| wrong("results that the call has", count))?;
        kernel(&args, own, &attributes)?;
        done += count;
    }
    if done < results.len() {
        let given = results.len();
        return Err(ArgumentError::Count { kernel: "chain", what: "results", required: done, given });
    }
    Ok(())
}

/// A kernel and its full name.
fn handler(name: &str) -> Result<(&'static str, Handler), ArgumentError> {
    let known = HANDLERS.into_iter().find(|(known, _)| known.strip_prefix("collegium.") == Some(name));
    known.ok_or_else(|| ArgumentError::Attribute {
        kernel: "chain",
        name: "kernels",
        required: "names of kernels of this process",
        given: name.into(),
    })
}

fn wrong(required: &'static str, given: impl ToString) -> ArgumentError {
    ArgumentError::Attribute { kernel: "chain", name: "steps", required, given: given.to_string() }
}

/// Numbers that are still to be read.
struct Numbers<'a>(&'a [i64]);

impl<'a> Numbers<'a> {
    fn next(&mut self, what: &'static str) -> Result<i64, ArgumentError> {
        let (&first, rest) = self.0.split_first().ok_or_else(|| wrong(what, "nothing"))?;
        self.0 = rest;
        Ok(first)
    }

    fn size(&mut self, what: &'static str) -> Result<usize, ArgumentError> {
        let number = self.next(what)?;
        usize::try_from(number).map_err(|_| wrong(what, number))
    }

    /// The one of `all` whose place comes next.
    fn of<'x, T>(&mut self, what: &'static str, all: &'x [T]) -> Result<&'x T, ArgumentError> {
        let place = self.size(what)?;
        all.get(place).ok_or_else(|| wrong(what, place))
    }

    fn attributes<'n>(&mut self, names: &[&'n str]) -> Result<Vec<(&'n str, i64)>, ArgumentError> {
        let count = self.size("the number of attributes")?;
        let attribute = |_| Ok((*self.of("a name", names)?, self.next("a value")?));
        (0..count).map(attribute).collect()
    }

    /// What a kernel reads: parts of operands of the chain and of results of kernels `before`. The first `in_place` of its operands must lie where its results do, from the number
    /// `first` on; a kernel is not shown these.
    fn operands<'x>(
        &mut self,
        (operands, before): (&'x [Operand<'_>], &'x [BufferViewMut<'_>]),
        (in_place, first): (usize, usize),
    ) -> Result<Vec<BufferView<'x>>, ArgumentError>
    where
        'a: 'x,
    {
        let count = self.size("the number of operands")?;
        let mut args = Vec::with_capacity(count.min(self.0.len()));
        for at in 0..count {
            let (buffer, start) = (self.size("a buffer")?, self.size("a first element")?);
            let rank = self.size("a rank")?;
            let (dims, rest) = self.0.split_at_checked(rank).ok_or_else(|| wrong("as many sizes", rank))?;
            self.0 = rest;
            let whole = match operands.get(buffer) {
                Some(Operand::InPlace(result)) if at < in_place && *result == first + at => continue,
                _ if at < in_place => return Err(wrong("an operand in the place of a result", buffer)),
                Some(Operand::Read(view)) => *view,
                Some(Operand::InPlace(_)) => return Err(wrong("an operand that is not changed", buffer)),
                None => {
                    let result = before.get(buffer - operands.len());
                    let result = result.ok_or_else(|| wrong("a result of a kernel before", buffer))?;
                    BufferView { dtype: result.dtype, dims: result.dims, bytes: result.bytes }
                }
            };
            args.push(part(whole, start, dims)?);
        }
        Ok(args)
    }
}

/// The part of `whole` of these dims from the element `start` on.
fn part<'a>(whole: BufferView<'a>, start: usize, dims: &'a [i64]) -> Result<BufferView<'a>, ArgumentError> {
    let size = whole.dtype.size_bytes();
    let range = || {
        let sizes = dims.iter().map(|&d| usize::try_from(d).ok());
        let elements = sizes.into_iter().try_fold(1, |n: usize, size| n.checked_mul(size?))?;
        let start = start.checked_mul(size)?;
        Some(start..start.checked_add(elements.checked_mul(size)?)?)
    };
    let bytes = range().and_then(|range| whole.bytes.get(range));
    let bytes = bytes.ok_or_else(|| wrong("a part of its buffer", format!("{dims:?} from {start}")))?;
    Ok(BufferView { dtype: whole.dtype, dims, bytes })
}

#[cfg(test)]
mod tests {
    use collegium_core::DType;

    use super::*;

    const WIDTH: usize = 4;

    /// x {2, 4} normed by a part of the weights {3, 4}, and that by another part.
    const GOOD: [i64; 30] = [
        0, 1, 0, 0, 2, 0, 0, 2, 2, 4, 1, 4, 1, 4, 1, // the first kernel
        0, 1, 0, 0, 2, 2, 0, 2, 2, 4, 1, 8, 1, 4, 1, // the second reads what it gave
    ];

    fn run(numbers: &[i64], kernels: &str) -> (Result<(), ArgumentError>, Vec<f32>) {
        let x = [1f32, 2.0, 3.0, 4.0, -1.0, 1.0, -1.0, 1.0];
        let weights = [9f32, 9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 0.5, 0.5, 0.5, 0.5];
        let view = |dims, values| {
            Operand::Read(BufferView { dtype: DType::F32, dims, bytes: bytemuck::cast_slice(values) })
        };
        let operands = [view(&[2, 4], &x[..]), view(&[3, 4], &weights[..])];
        let mut made = [[0f32; 2 * WIDTH]; 2];
        let mut results: Vec<BufferViewMut<'_>> = made
            .iter_mut()
            .map(|m| BufferViewMut { dtype: DType::F32, dims: &[2, 4], bytes: bytemuck::cast_slice_mut(m) })
            .collect();
        let found = chain(&operands, &mut results, Steps { kernels, names: "eps_bits", numbers });
        (found, made[1].to_vec())
    }

    fn normed(x: &[f32], weight: &[f32]) -> Vec<f32> {
        let row = |x: &[f32]| {
            let scale = (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt().recip();
            x.iter().zip(weight).map(|(v, w)| v * scale * w).collect::<Vec<f32>>()
        };
        x.chunks(WIDTH).flat_map(row).collect()
    }

    #[test]
    fn a_kernel_reads_parts_and_what_those_before_it_gave() {
        let (found, made) = run(&GOOD, "rms_norm");
        found.expect("steps that fit");
        let first = normed(&[1.0, 2.0, 3.0, 4.0, -1.0, 1.0, -1.0, 1.0], &[1.0, 2.0, 3.0, 4.0]);
        let wanted = normed(&first, &[0.5; 4]);
        assert!(made.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{made:?} {wanted:?}");
    }

    #[test]
    fn steps_without_meaning_are_refused() {
        let cases: [(usize, i64, &str); 8] = [
            (0, 1, "a kernel"),
            (2, 7, "a name"),
            (5, 9, "a result of a kernel before"),
            (20, 3, "a result of a kernel before"),
            (11, 9, "a part of its buffer"),
            (13, -4, "a part of its buffer"),
            (12, 90, "as many sizes"),
            (14, 3, "results that the call has"),
        ];
        for (at, number, message) in cases {
            let mut numbers = GOOD.to_vec();
            numbers[at] = number;
            let error = run(&numbers, "rms_norm").0.expect_err(message).to_string();
            assert!(error.contains(message), "{error} instead of {message}");
        }
        for length in 1..30 {
            assert!(run(&GOOD[..length], "rms_norm").0.is_err(), "{length} numbers");
        }
        assert!(run(&GOOD, "no_norm").0.expect_err("no kernel").to_string().contains("no_norm"));
    }
}
