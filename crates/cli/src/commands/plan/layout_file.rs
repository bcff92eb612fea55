//! A plan as the configuration that `collegium train` reads.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use collegium_balance::policy;
use collegium_checkpoint::write_file;

use super::ask::{Plan, layout_line};

/// Writes the first plan that there is; the file is there whole or not at all.
pub fn write(file: &Path, model: &Path, plan: &Plan) -> anyhow::Result<()> {
    let Some((answer, choice)) = plan.answers.iter().find_map(|a| a.choices.first().map(|c| (a, c))) else {
        bail!("there is no plan to write to {}", file.display());
    };
    let layout = &choice.candidate.layout;
    let config = if model.is_dir() { model.join("config.json") } else { model.to_path_buf() };
    let steps = (plan.tokens / (answer.batch * plan.seq) as f64).ceil() as u64;
    let platform = &answer.platform;
    // Where ranks share a sequence, one of them alone has fewer.
    let each = answer.batch / answer.ranks;
    let micro_batch = (1..=layout.micro_batch).rev().find(|m| each.is_multiple_of(*m)).unwrap_or(1);
    let mut text = String::new();
    writeln!(text, "# Planned for {}: {}.", answer.cluster, layout_line(choice))?;
    writeln!(
        text,
        "# Predicted: {:.3} s a step +- {:.0} %, {:.0} tokens/s.",
        choice.candidate.estimate.step, answer.band, choice.tokens_per_second
    )?;
    if !choice.not_trainable.is_empty() {
        let missing = choice.not_trainable.join(", ");
        writeln!(
            text,
            "# `collegium train` cannot run this yet: {missing}. What it can is below; --trainable plans within it."
        )?;
    }
    writeln!(text, "[model]\nconfig = {:?}\n", config.display().to_string())?;
    writeln!(
        text,
        "[train]\nsteps = {steps}\nbatch = {}\nmicro_batch = {}\nseq = {}\ndtype = {:?}\nresiduals = {:?}\n",
        answer.batch,
        micro_batch,
        plan.seq,
        plan.dtype,
        layout.recompute.name()
    )?;
    writeln!(
        text,
        "[parallel]\nplatform = {platform:?}\ndevices = {}\nexpert = {}",
        answer.ranks, layout.expert
    )?;
    if let Some(name) = plan.policy.as_deref().filter(|_| layout.expert > 1) {
        match layout.clones {
            // Without clones, a policy of clones is none.
            0 if policy::by_name(name)?.plans_micro_batches() => writeln!(text, "balance = \"static\"")?,
            0 => writeln!(text, "balance = {name:?}")?,
            clones => writeln!(text, "balance = {name:?}\nclones = {clones}")?,
        }
    }
    writeln!(
        text,
        "\n[data]\nprefetch = {}\n\n[run]\ncheckpoint_async = {}",
        plan.prefetch, plan.checkpoint_async
    )?;
    if let Some(checkpoints) = &choice.checkpoints {
        let every = (checkpoints.every / choice.candidate.estimate.step).round().max(1.0) as u64;
        writeln!(
            text,
            "# As often as loses least time to checkpoints and failures.\ncheckpoint_every = {every}"
        )?;
    }
    if let Some(watts) = choice.watts {
        writeln!(text, "# Of the whole cluster at the wall, predicted.\nwatts = {watts:.0}")?;
    }
    Ok(write_file(file, text.as_bytes())?)
}
