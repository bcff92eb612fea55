//! Fresh problems for the model: the share it solves, by kind, beside the share that chance would.

use std::collections::BTreeMap;

use collegium_data::Tokenizer;
use collegium_data::corpus::Problem;

use crate::TrainError;
use crate::engine::Engine;
use crate::sampling::Sampler;

/// Problems of one kind.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Share {
    /// The kind.
    pub task: String,
    /// How many were solved.
    pub solved: u64,
    /// How many there were.
    pub problems: u64,
    /// Share that well-formed guesses would solve.
    pub chance: f64,
    /// One of them with what the model wrote.
    pub example: String,
}

/// Lets the model solve every problem.
///
/// # Errors
/// What the engine says.
pub fn solve(
    engine: &mut Engine,
    tokenizer: &Tokenizer,
    problems: &[Problem],
    sampler: &mut Sampler,
) -> Result<Vec<Share>, TrainError> {
    let prompts: Vec<Vec<u32>> =
        problems.iter().map(|p| tokenizer.encode(&p.prompt)).collect::<Result<_, _>>()?;
    let longest = problems.iter().map(|p| p.solution.len()).max().unwrap_or(0);
    let answers =
        engine.generate(&prompts, longest + 2, Some(tokenizer.end_of_document()), sampler, &mut |_, _| {})?;
    let mut shares: BTreeMap<String, Share> = BTreeMap::new();
    for (problem, answer) in problems.iter().zip(answers) {
        // Bytes that are no text are simply not a solution.
        let text = tokenizer.decode(&answer).unwrap_or_default();
        let task = format!("{:?}", problem.kind).to_lowercase();
        let share = shares.entry(task.clone()).or_insert_with(|| Share {
            task,
            solved: 0,
            problems: 0,
            chance: 0.0,
            example: format!("{}{text}", problem.prompt),
        });
        share.solved += u64::from(problem.grade(&text));
        share.problems += 1;
        share.chance += problem.chance();
    }
    Ok(shares.into_values().map(|s| Share { chance: s.chance / s.problems as f64, ..s }).collect())
}

/// The shares as lines of a table.
pub fn table(shares: &[Share]) -> String {
    let mut lines =
        vec![format!("{:<16}{:>8}{:>10}{:>9}   for example", "fresh problems", "solved", "share", "chance")];
    for s in shares {
        let share = 100.0 * s.solved as f64 / s.problems as f64;
        let solved = format!("{}/{}", s.solved, s.problems);
        lines.push(format!(
            "{:<16}{solved:>8}{share:>9.1}%{:>8.1}%   {}",
            s.task,
            100.0 * s.chance,
            s.example.trim_end()
        ));
    }
    lines.join("\n")
}
