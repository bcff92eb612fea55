//! Addition, subtraction and multiplication by one digit, worked digit by digit from the lowest.
//!
//! A step reads `x op y op c=nd`: digits x and y, carry (or borrow) c coming in, carry n going out and the digit d
//! of the result. So 4-8-1=15 says: 4 - 8 - 1 is 5 with one borrowed.

use super::{Kind, Problem};
use crate::rng::Rng;

/// The most digits of a number that is multiplied; longer products are beyond a model of this size.
pub(super) const MAX_FACTOR_DIGITS: u32 = 2;

pub(super) fn draw(rng: &mut Rng, kind: Kind, max_digits: u32) -> Problem {
    let factor = kind == Kind::Multiplication;
    let highest = if factor { max_digits.min(MAX_FACTOR_DIGITS) } else { max_digits };
    let level = rng.between(1, highest.into()) as u32;
    let (low, high) = bounds(level);
    let a = rng.between(low, high);
    let b = if factor { rng.between(2, 9) } else { rng.between(low, high) };
    let (a, b) = if kind == Kind::Subtraction { (a.max(b), a.min(b)) } else { (a, b) };
    problem(kind, level, a, b)
}

fn bounds(digits: u32) -> (u64, u64) {
    let low = 10u64.pow(digits - 1);
    (low, 10 * low - 1)
}

fn problem(kind: Kind, level: u32, a: u64, b: u64) -> Problem {
    let (sign, answer) = match kind {
        Kind::Addition => ('+', a + b),
        Kind::Subtraction => ('-', a - b),
        Kind::Multiplication | Kind::Countdown => ('*', a * b),
    };
    let solution = format!("{}#{answer}", steps(kind, level, a, b).join(","));
    Problem { kind, level, prompt: format!("{a}{sign}{b}="), solution, answer, numbers: vec![a, b] }
}

fn steps(kind: Kind, digits: u32, a: u64, b: u64) -> Vec<String> {
    let mut carry = 0;
    let step = |place: u32| {
        let (x, y) = (digit(a, place), digit(b, place));
        let (text, out, result) = match kind {
            Kind::Addition => (format!("{x}+{y}+{carry}"), (x + y + carry) / 10, (x + y + carry) % 10),
            Kind::Subtraction => {
                (format!("{x}-{y}-{carry}"), u64::from(x < y + carry), (10 + x - y - carry) % 10)
            }
            Kind::Multiplication | Kind::Countdown => {
                (format!("{x}*{b}+{carry}"), (x * b + carry) / 10, (x * b + carry) % 10)
            }
        };
        carry = out;
        format!("{text}={out}{result}")
    };
    (0..digits).map(step).collect()
}

fn digit(number: u64, place: u32) -> u64 {
    number / 10u64.pow(place) % 10
}

/// How many different results numbers of these lengths can have, for the level of chance.
pub(super) fn num_results(kind: Kind, digits: u32) -> u64 {
    let (low, high) = bounds(digits);
    match kind {
        Kind::Addition => 2 * high - 2 * low + 1,
        Kind::Subtraction => high - low + 1,
        Kind::Multiplication | Kind::Countdown => 9 * high - 2 * low + 1,
    }
}

/// The number after the last `#` of a line.
pub(super) fn final_number(line: &str) -> Option<u64> {
    let (_, number) = line.rsplit_once('#')?;
    let digits = number.trim();
    // `parse` alone would take "+7".
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_pinned() {
        let text = |kind, level, a, b| {
            let problem = problem(kind, level, a, b);
            problem.prompt + &problem.solution
        };
        assert_eq!(text(Kind::Addition, 3, 285, 345), "285+345=5+5+0=10,8+4+1=13,2+3+1=06#630");
        assert_eq!(text(Kind::Addition, 2, 99, 99), "99+99=9+9+0=18,9+9+1=19#198");
        assert_eq!(text(Kind::Subtraction, 3, 347, 285), "347-285=7-5-0=02,4-8-0=16,3-2-1=00#62");
        assert_eq!(text(Kind::Multiplication, 2, 47, 8), "47*8=7*8+0=56,4*8+5=37#376");
    }

    #[test]
    fn only_the_number_after_the_last_mark_counts() {
        assert_eq!(final_number("5+5=10#1#0630 "), Some(630));
        for none in ["630", "#", "#+7", "#-7", "#6x", "#99999999999999999999999"] {
            assert_eq!(final_number(none), None, "{none}");
        }
    }

    #[test]
    fn chance_counts_the_possible_results() {
        assert_eq!(num_results(Kind::Addition, 2), (20..=198).count() as u64);
        assert_eq!(num_results(Kind::Subtraction, 2), (0..=89).count() as u64);
        assert_eq!(num_results(Kind::Multiplication, 2), (20..=891).count() as u64);
    }
}
