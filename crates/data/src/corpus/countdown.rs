//! Countdown: combine the given numbers, each once, until the target is reached.
//!
//! A problem is drawn by playing random steps; the solution shown is not those steps but the first one found by a
//! search in fixed order, so that equal problems always have equal solutions and there is one thing to learn.

use super::{Kind, Problem};
use crate::rng::Rng;

const MAX_NUMBER: u64 = 9;
/// No step leaves two digits or becomes negative, so every operation stays within what the model also learns elsewhere.
const MAX_RESULT: u64 = 99;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    a: u64,
    sign: char,
    b: u64,
}

impl Step {
    fn result(self) -> Option<u64> {
        match self.sign {
            '+' => self.a.checked_add(self.b),
            '-' => self.a.checked_sub(self.b),
            _ => self.a.checked_mul(self.b),
        }
    }

    /// The numbers left after the step; `None` where an operand is not among them.
    fn play(self, numbers: &[u64]) -> Option<Vec<u64>> {
        let mut left = numbers.to_vec();
        for operand in [self.a, self.b] {
            left.swap_remove(left.iter().position(|&number| number == operand)?);
        }
        left.push(self.result()?);
        left.sort_unstable();
        Some(left)
    }
}

/// Every legal step, larger operand first, in the order of the search.
fn legal_steps(numbers: &[u64]) -> Vec<Step> {
    let mut steps = Vec::new();
    for sign in ['+', '-', '*'] {
        for (i, &x) in numbers.iter().enumerate() {
            for &y in &numbers[i + 1..] {
                let step = Step { a: x.max(y), sign, b: x.min(y) };
                if step.result().is_some_and(|result| result <= MAX_RESULT) {
                    steps.push(step);
                }
            }
        }
    }
    steps
}

pub(super) fn draw(rng: &mut Rng, max_numbers: u32) -> Problem {
    loop {
        let level = rng.between(3, max_numbers.into()) as u32;
        let mut numbers: Vec<u64> = (0..level).map(|_| rng.between(1, MAX_NUMBER)).collect();
        numbers.sort_unstable();
        let mut left = numbers.clone();
        while left.len() > 1 {
            let steps = legal_steps(&left);
            let step = steps[rng.below(steps.len() as u64) as usize];
            left = step.play(&left).unwrap_or_default();
        }
        // 0 is reached by so many problems in the same way that it would teach little.
        if let [target] = left[..]
            && target > 0
        {
            return problem(level, numbers, target);
        }
    }
}

fn problem(level: u32, numbers: Vec<u64>, target: u64) -> Problem {
    let mut steps = Vec::new();
    solve(&numbers, target, &mut steps);
    let text: Vec<String> = steps
        .iter()
        .map(|step| format!("{}{}{}={}", step.a, step.sign, step.b, step.result().unwrap_or_default()))
        .collect();
    let given: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let prompt = format!("{}>{target}=", given.join(","));
    Problem { kind: Kind::Countdown, level, prompt, solution: text.join(","), answer: target, numbers }
}

/// Depth-first search; on success `path` holds the steps.
fn solve(numbers: &[u64], target: u64, path: &mut Vec<Step>) -> bool {
    if let [last] = numbers {
        return *last == target;
    }
    legal_steps(numbers).into_iter().any(|step| {
        path.push(step);
        let solved = step.play(numbers).is_some_and(|left| solve(&left, target, path));
        if !solved {
            path.pop();
        }
        solved
    })
}

/// The probability that legal steps drawn evenly end at the target.
pub(super) fn chance(numbers: &[u64], target: u64) -> f64 {
    if let [last] = numbers {
        return if *last == target { 1.0 } else { 0.0 };
    }
    let steps = legal_steps(numbers);
    let after = |step: &Step| step.play(numbers).map_or(0.0, |left| chance(&left, target));
    steps.iter().map(after).sum::<f64>() / steps.len() as f64
}

/// Whether a line of steps uses exactly the given numbers, computes rightly and ends at the target.
pub(super) fn solves(numbers: &[u64], target: u64, line: &str) -> bool {
    let steps = line.trim().split(',').map(parse_step).collect::<Option<Vec<_>>>();
    let Some(steps) = steps else { return false };
    let end = steps.into_iter().try_fold(numbers.to_vec(), |left, (step, claimed)| {
        if step.result() == Some(claimed) { step.play(&left) } else { None }
    });
    end.is_some_and(|left| left == [target])
}

/// `a op b=c` into the step and its claimed result.
fn parse_step(text: &str) -> Option<(Step, u64)> {
    let (operation, claimed) = text.split_once('=')?;
    let at = operation.find(['+', '-', '*'])?;
    let (a, rest) = operation.split_at(at);
    let mut rest = rest.chars();
    let sign = rest.next()?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    Some((Step { a: number(a)?, sign, b: number(rest.as_str())? }, number(claimed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_pinned() {
        let problem = problem(3, vec![3, 5, 7], 26);
        assert_eq!(problem.prompt, "3,5,7>26=");
        assert_eq!(problem.solution, "7*3=21,21+5=26");
        assert_eq!(problem.answer, 26);
    }

    #[test]
    fn every_rule_of_the_game_is_checked() {
        let solves = |line| solves(&[3, 5, 7], 26, line);
        assert!(solves("7*3=21,21+5=26"));
        assert!(solves("3*7=21,5+21=26 "), "operands in any order");
        for (wrong, why) in [
            ("7*3=21,21+5=27", "wrong arithmetic"),
            ("7*3=21", "a number is left over"),
            ("7*3=21,21+5=26,26+0=26", "a number that was not given"),
            ("5*5=25,25+1=26", "a number used twice"),
            ("5+3=8,8+7=15", "another target"),
            ("3-5=18446744073709551614,7+19=26", "a negative result"),
            ("7/3=2,21+5=26", "an unknown operation"),
            ("9999999999999999999*3=1,1+5=26", "an overflow"),
            ("", "nothing"),
        ] {
            assert!(!solves(wrong), "{why}: {wrong}");
        }
    }

    #[test]
    fn chance_is_the_share_of_winning_games() {
        // 2 and 2: 2+2 = 2*2 = 4, 2-2 = 0.
        assert_eq!(chance(&[2, 2], 4), 2.0 / 3.0);
        let three = chance(&[3, 5, 7], 26);
        assert!((0.005..0.2).contains(&three), "{three}");
    }
}
