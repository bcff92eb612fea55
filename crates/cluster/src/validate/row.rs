//! A row of the table of measurements as a question to the pricer.

use serde::Serialize;

use super::models::KnownModels;
use crate::catalog::Catalog;
use crate::layout::{Feed, Layout, Recompute, Sharding, Software};
use crate::model::PlanModel;
use crate::roofline::{Kernels, Precision};
use crate::schedule::Schedule;
use crate::table::Row;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Seconds of a step, whatever the table states.
    Step,
    /// Bytes of one device.
    Memory,
}

/// A row that says enough.
pub struct Case {
    /// Its id.
    pub id: String,
    /// The publication or release it is from.
    pub system: String,
    /// The model.
    pub model: PlanModel,
    /// Its device.
    pub device: String,
    /// Its instance.
    pub instance: String,
    /// How it was laid out.
    pub layout: Layout,
    /// How it was run.
    pub software: Software,
    /// Tokens of a sequence.
    pub seq: usize,
    /// Of what.
    pub metric: Metric,
    /// Seconds or bytes.
    pub measured: f64,
    /// Part of memory that the row is about: `all`, `activations` or `state`.
    pub memory_part: &'static str,
}

/// Rows of the fullest rank over the mean under real routing and a static layout: mean over the ranks' logs of LAER-MoE's artifact
/// (2602.11686), the only published ones.
const REAL_IMBALANCE: f64 = 1.73;
/// Activations of PyTorch frameworks over those of the trainer's programs: the first keep bf16 where the second keep f32. From the Llama
/// rows of SimuMax's B200 table.
const KEPT: f64 = 0.6;
/// The same where linear layers keep their inputs in 8 bits (Transformer Engine): about half of what is kept are such inputs.
const KEPT_FLOAT8: f64 = 0.4;
/// Expert traffic that DualPipe hides behind another micro-batch's work, and how much slower that work is with 20 of 132 units sending
/// (DeepSeek-V3, 2412.19437, 3.2).
const DUAL_PIPE: (f64, f64) = (0.9, 132.0 / 112.0);
/// Seconds that PyTorch's host side needs for one sparse layer of Megatron, forward and backward, without graphs: Qwen3-30B with
/// micro-batches of one sequence, Megatron-Bridge 25.11 and 26.02 on B200 (28.2 s over 64 micro-batches and 48 layers).
const HOST_LAYER: f64 = 8.5e-3;
/// That time where dispatch hides behind another micro-batch, over the time without: passes are issued piece by piece, gradients of weights apart. From
/// Qwen3 on H100 and B300, Megatron-Bridge 26.02 (13 to 17 ms); a report on 256 B200 with that release found 1.3 to 1.4 (45.6 or 50.6 s to 64.8 s).
const HOST_HIDING: f64 = 1.6;
/// Seconds of the host for a dense layer: with everything run again, 24 layers take 3.5 ms each and micro-batch however small these are and over however many
/// ranks they are cut (vTrain's 1,440 runs on 8 A100, Megatron-DeepSpeed, hidden 1,024, one and two sequences).
const HOST_DENSE: f64 = 2.3e-3;
/// The same on the faster host of GB200 and GB300: Qwen3-235B, Megatron-Bridge 25.09 (14.8 s over 32 micro-batches and 94 layers).
const GRACE_HOST_LAYER: f64 = 4.5e-3;
/// Pieces of a stage where a publication describes interleaving and its rows do not say how many.
const USUAL_VIRTUAL_STAGES: usize = 6;

/// Attention of LLM Foundry's tables over today's kernels, on A100 and on H100: the Triton kernel with ALiBi of 2023, which does not
/// use what is new in the later chip.
const TRITON_ATTENTION: (f64, f64) = (2.0, 3.0);
/// Element-wise work and dispatch of sparse layers in Megatron-Bridge from 26.06 on (fused permutation, graphs), from one pair: DeepSeek-V3 on
/// 256 GB200, 26.04.01 to 26.06.
const FUSED_SPARSE: f64 = 0.55;

/// The release of Megatron-Bridge that a row is of.
fn release(system: &str) -> Option<f64> {
    system.strip_prefix("mbridge-")?.get(..5)?.parse().ok()
}

/// Whether a release has the fused kernels of sparse layers and graphs. Its recipes of Kimi-K2 have them with micro-batches of one sequence only
/// (`cutedsl_fused_grouped_mlp` in scripts/performance/configs/kimi).
fn fused_sparse(system: &str, row: &Row) -> bool {
    let kimi = row.text("model").is_some_and(|m| m.starts_with("Kimi"));
    release(system).is_some_and(|r| r > 26.05) && !(kimi && row.count("micro_batch") != Some(1))
}

/// Whether a recipe of Megatron-Bridge hides dispatch behind another micro-batch (`moe_a2a_overlap` in scripts/performance/configs). It needs virtual
/// stages; recipes of NVL72 use HybridEP in its place, those of B200 and B300 have it from 25.11 on.
fn hides_dispatch(system: &str, row: &Row) -> bool {
    let device = row.text("device").unwrap_or("");
    let first = if device.starts_with("H100") { 25.08 } else { 25.10 };
    let several = |field| row.count(field).is_some_and(|n| n > 1);
    !device.starts_with("GB")
        && several("experts")
        && several("pp")
        && several("vpp")
        && release(system).is_some_and(|r| r > first)
}

/// The name of a release or publication: the id without its number.
pub fn system_of(id: &str) -> String {
    id.rsplit_once('-').filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit())).map_or(id, |s| s.0).into()
}

/// The instance that a device name of the table stands for.
fn instance_for(device: &str) -> Result<&'static str, String> {
    let name = device.to_lowercase();
    let table = [
        ("gb300", "gb300-nvl72"),
        ("gb200", "gb200-nvl72"),
        ("b300", "p6-b300.48xlarge"),
        ("b200", "p6-b200.48xlarge"),
        ("h200", "p5en.48xlarge"),
        ("h800", "h800-node"),
        ("h100 96gb", "h100-500w-node"),
        ("h100", "dgx-h100"),
        ("a100", "dgx-a100"),
        ("trainium1", "trn1.32xlarge"),
        ("trainium2", "trn2.48xlarge"),
    ];
    let found = table.iter().find(|t| name.starts_with(t.0));
    found.map(|t| t.1).ok_or_else(|| format!("device `{device}` has no description"))
}

fn precision(text: Option<&str>) -> Precision {
    let name = text.unwrap_or("bf16").to_lowercase();
    if name.contains("fp4") {
        Precision::Float4
    } else if name.contains("fp8") {
        Precision::Float8
    } else {
        Precision::Bfloat16
    }
}

/// Which software a publication used.
fn software(known: &KnownModels, system: &str, row: &Row, sharding: Sharding) -> Software {
    let notes = row.text("notes").unwrap_or("").to_lowercase();
    // Before fused attention kernels.
    let unfused =
        system.starts_with("vtrain") || system.starts_with("seqsel") || system.starts_with("mlm-a100");
    let deduplicated = ["deepep", "hybridep", "mbridge", "flex dispatcher"].iter().any(|w| notes.contains(w))
        || system.starts_with("mbridge-26")
        || system.starts_with("dsv3");
    let neuron = system.starts_with("neuron");
    let dual_pipe = schedule(row) == Schedule::DualPipe;
    let hidden = hides_dispatch(system, row);
    let megatron = ["mbridge", "mbskill", "mlperf", "nemo"].iter().any(|s| system.starts_with(s));
    let precision = precision(row.text("precision").or(system.starts_with("mlperf").then_some("fp8")));
    let no_sequence_parallel = notes.contains("without sequence parallel")
        || notes.contains("no sequence parallel")
        || system.starts_with("vtrain");
    Software {
        kernels: Kernels { fused_attention: !unfused, addressing: false },
        // MLPerf's entries on these devices compute in FP8 where the table is silent.
        precision,
        reduce_every_micro_batch: sharding == Sharding::Weights,
        gradient_bytes: if neuron || unfused { 4.0 } else { 2.0 },
        deduplicated,
        gradient_sum_bytes: if megatron { 2.0 } else { 4.0 },
        compute: if dual_pipe { DUAL_PIPE.1 } else { 1.0 },
        sequence_parallel: !no_sequence_parallel,
        overlap_expert: match (dual_pipe || hidden, notes.contains("ep overlap off")) {
            (true, _) => Some(DUAL_PIPE.0),
            (_, true) => Some(0.0),
            _ => None,
        },
        // `balance` in VIA-Research/vTrain, src/predictor.py, and its runs on one node: a micro-batch of p stages takes as long as the layers of
        // one and the whole head.
        ends_on_top: system.starts_with("vtrain"),
        imbalance: if notes.contains("real routing") || notes.contains("real (unbalanced") {
            REAL_IMBALANCE
        } else {
            1.0
        },
        attention: match (
            system.starts_with("llmfoundry"),
            row.text("device").is_some_and(|d| d.starts_with("A100")),
        ) {
            (false, _) => 1.0,
            (true, true) => TRITON_ATTENTION.0,
            (true, false) => TRITON_ATTENTION.1,
        },
        sparse: known.element_wise(row.text("model").unwrap_or(""))
            * if fused_sparse(system, row) { FUSED_SPARSE } else { 1.0 },
        // Full recomputation keeps inputs of layers alone, which are bf16 in the programs too; unfused attention keeps masks and scores.
        kept: match recompute(row.text("recompute")) {
            Recompute::Recompute => 1.0,
            _ if unfused => 1.0,
            _ if megatron && precision >= Precision::Float8 => KEPT_FLOAT8,
            _ => KEPT,
        },
        host_layer: match row.text("device").is_some_and(|d| d.starts_with("GB")) {
            _ if fused_sparse(system, row) => 0.0,
            true => GRACE_HOST_LAYER,
            false if hidden => HOST_LAYER * HOST_HIDING,
            false => HOST_LAYER,
        },
        host_dense: if neuron { 0.0 } else { HOST_DENSE },
        state_bytes: 12.0,
        cloned: 0.0,
        clone_slots: 0.0,
        // Workers of PyTorch's loaders make the next batch meanwhile, of tokens or of mock data.
        feed: Feed { text: false, ahead: true },
    }
}

fn schedule(row: &Row) -> Schedule {
    match row.text("notes") {
        Some(notes) if notes.to_lowercase().contains("dualpipe") => Schedule::DualPipe,
        _ => Schedule::OneForwardOneBackward,
    }
}

fn virtual_stages(system: &str, row: &Row, pipeline: usize, layers: usize) -> usize {
    let interleaves =
        ["megascale", "llama3-paper", "mlperf", "mlm-h100"].iter().any(|s| system.starts_with(s));
    let usual = if interleaves { USUAL_VIRTUAL_STAGES.min(layers / pipeline) } else { 1 };
    if pipeline > 1 { row.count("vpp").unwrap_or(usual).max(1) } else { 1 }
}

fn recompute(text: Option<&str>) -> Recompute {
    match text {
        Some(t) if t.starts_with("full") => Recompute::Recompute,
        Some(t) if t.starts_with("selective") && !t.ends_with("none") => Recompute::SaveDots,
        _ => Recompute::SaveEverything,
    }
}

fn sharding(system: &str, row: &Row) -> Sharding {
    let notes = row.text("notes").unwrap_or("").to_lowercase();
    let shard = notes
        .split("fsdp_shard=")
        .nth(1)
        .and_then(|t| t.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().ok());
    let by_name =
        ["llmfoundry", "torchtitan", "aws-p5", "automodel", "axlearn"].iter().any(|s| system.starts_with(s));
    if by_name || shard.is_some_and(|s| s > 1) || notes.contains("megatron-fsdp on") {
        Sharding::Weights
    } else if system.starts_with("vtrain") || system.starts_with("seqsel") {
        Sharding::None
    } else {
        Sharding::Optimizer
    }
}

/// Reads a row.
///
/// # Errors
/// What it lacks, in a few words.
pub fn read(catalog: &Catalog, known: &KnownModels, row: &Row) -> Result<Case, String> {
    let id = row.text("id").ok_or("no id")?;
    let system = system_of(id);
    let metric_name = row.text("metric_name").ok_or("no metric")?;
    let value = row.number("metric_value").filter(|v| *v > 0.0).ok_or("no value")?;
    let device_name = row.text("device").ok_or("no device")?;
    let instance = instance_for(device_name)?;
    let device = catalog
        .device(&catalog.instance(instance).map_err(|e| e.to_string())?.device)
        .map_err(|e| e.to_string())?;
    let need = |field: &str| row.count(field).filter(|n| *n > 0).ok_or_else(|| format!("no {field}"));
    let ranks = need("devices")?;
    let model = known.of(row)?;
    let seq = need("seq_len")?;
    let (tensor, pipeline) = (need("tp")?, need("pp")?);
    let context = row.count("cp").unwrap_or(1).max(1);
    let rest = tensor * pipeline * context;
    let data = ranks / rest;
    if data == 0 || !ranks.is_multiple_of(rest) {
        return Err("degrees that do not multiply to the devices".into());
    }
    // Unstated: 1, as in every published run of this size that states it.
    let micro_batch = row.count("micro_batch").unwrap_or(1).max(1);
    let batch = need("global_batch")?;
    let micro_batches = batch / (data * micro_batch);
    if micro_batches == 0 {
        return Err("a batch smaller than one micro-batch on every rank".into());
    }
    let expert = if model.is_sparse() { need("ep")? } else { 1 };
    let layout = Layout {
        data,
        tensor,
        context,
        pipeline,
        virtual_stages: virtual_stages(&system, row, pipeline, model.config.num_layers),
        schedule: schedule(row),
        expert,
        // Unstated: experts are not cut (rule of thumb of every recipe read but Llama 4's).
        expert_tensor: row.count("etp").unwrap_or(1).max(1),
        clones: 0,
        micro_batch,
        micro_batches,
        recompute: recompute(row.text("recompute")),
        sharding: sharding(&system, row),
        offload: false,
    };
    if !layout.is_consistent() {
        return Err("expert degrees that do not divide the ranks of a stage".into());
    }
    let software = software(known, &system, row, layout.sharding);
    let tokens = (batch * seq) as f64;
    let (metric, measured, memory_part) = match metric_name {
        "step_time_s" => (Metric::Step, value, "all"),
        "tokens_per_s_per_device" => (Metric::Step, tokens / (value * ranks as f64), "all"),
        "tokens_per_s_global" => (Metric::Step, tokens / value, "all"),
        "sequences_per_s_global" => (Metric::Step, batch as f64 / value, "all"),
        "model_tflops_per_device" => {
            (Metric::Step, model.flops_per_token(seq) * tokens / (value * 1e12 * ranks as f64), "all")
        }
        "peak_mem_gb" | "peak_alloc_gb" => (Metric::Memory, value * 1e9, "all"),
        "peak_mem_gib" | "peak_alloc_gib" => (Metric::Memory, value * 1024f64.powi(3), "all"),
        "mem_activations_gib" => (Metric::Memory, value * 1024f64.powi(3), "activations"),
        "mem_params_optimizer_gib" => (Metric::Memory, value * 1024f64.powi(3), "state"),
        other => return Err(format!("metric `{other}` has no prediction")),
    };
    Ok(Case {
        id: id.into(),
        system,
        model,
        device: device.name.clone(),
        instance: instance.into(),
        layout,
        software,
        seq,
        metric,
        measured,
        memory_part,
    })
}
