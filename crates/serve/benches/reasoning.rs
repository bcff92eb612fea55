//! What narrower weights and caches cost a model that reasons: fresh problems of the built-in corpus that it solves, greedily, with all of its texts
//! written beside each other; and how many of the guesses at its tokens were right.
//!
//!     cargo bench -p collegium-serve --bench reasoning -- runs/001/checkpoints/step-00000400 [--problems 512]

mod problems;

use collegium_core::DType;
use collegium_data::corpus::CorpusConfig;
use collegium_serve::Types;

fn main() {
    let options: Vec<String> = std::env::args().collect();
    let Some(model) = problems::Model::of_arguments(&options) else { return };
    let count = problems::number(&options, "--problems", 512);
    let all = CorpusConfig::default().fresh_problems(count).expect("a corpus has problems");
    println!("{:>8} {:>8} {:>16} {:>14}", "weights", "cache", "solved", "guesses right");
    for weights in [DType::F32, DType::Bf16, DType::I8] {
        for int8_cache in [false, true] {
            let answers = model.solve(Types { weights, int8_cache }, None, &all);
            let right = 100.0 * answers.stats.accepted as f64 / (answers.stats.drafted as f64).max(1.0);
            let cache = if int8_cache { "int8" } else { "as they" };
            let share = 100.0 * answers.solved as f64 / all.len() as f64;
            let solved = format!("{} ({share:.1} %)", answers.solved);
            println!("{:>8} {cache:>8} {solved:>16} {right:>13.0}%", format!("{weights:?}"));
        }
    }
}
