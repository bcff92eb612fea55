//! One answer of several samples: the likeliest (`best_of`) or the one most agree on (self-consistency; Wang et al., 2203.11171).

use std::collections::HashMap;

use crate::wire::VoteBody;

/// What a text answers: the last `\boxed{...}`, else its last line that says something.
fn answer(text: &str) -> &str {
    let boxed = text.rfind("\\boxed{").and_then(|at| {
        let inside = &text[at + 7..];
        let mut depth = 1;
        let end = inside.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        })?;
        Some(inside[..end].trim())
    });
    boxed.unwrap_or_else(|| text.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or_default())
}

/// Which text has the answer of most, the first of them, and how the vote went. Texts without an answer do not vote; where none does, the first text wins
/// with no votes.
pub fn majority(texts: &[&str]) -> (usize, VoteBody) {
    let mut votes: HashMap<&str, (usize, usize)> = HashMap::new();
    for (index, text) in texts.iter().enumerate() {
        let answer = answer(text);
        if !answer.is_empty() {
            votes.entry(answer).or_insert((index, 0)).1 += 1;
        }
    }
    let most = votes.into_values().max_by_key(|&(index, count)| (count, std::cmp::Reverse(index)));
    let (winner, votes) = most.unwrap_or((0, 0));
    let answer = texts.get(winner).map_or("", |text| answer(text)).to_string();
    (winner, VoteBody { answer, votes, of: texts.len() })
}

/// The order of samples by mean log-probability of their tokens, the likeliest first.
pub fn likeliest(logprobs: &[Vec<f32>]) -> Vec<usize> {
    let mean = |all: &Vec<f32>| all.iter().map(|&l| f64::from(l)).sum::<f64>() / all.len().max(1) as f64;
    let mut order: Vec<usize> = (0..logprobs.len()).collect();
    order.sort_by(|&a, &b| mean(&logprobs[b]).total_cmp(&mean(&logprobs[a])));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_votes_win_and_ties_go_to_the_first() {
        let texts = ["so \\boxed{4}", "5", "thus\n\\boxed{ 4 }.", "", "5\n"];
        assert_eq!(majority(&texts), (0, VoteBody { answer: "4".into(), votes: 2, of: 5 }));
        assert_eq!(answer("\\boxed{\\frac{1}{2}} done"), "\\frac{1}{2}");
        assert_eq!(majority(&["", " \n"]), (0, VoteBody { answer: String::new(), votes: 0, of: 2 }));
    }

    #[test]
    fn the_likeliest_come_first() {
        assert_eq!(likeliest(&[vec![-2.0], vec![-0.1, -0.3], vec![-1.0]]), [1, 2, 0]);
    }
}
