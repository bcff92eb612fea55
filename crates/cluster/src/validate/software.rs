//! Which software a publication used: constants of releases and publications, each with the figure it is from, and what rows and recipes say.

use super::models::KnownModels;
use super::row::schedule;
use crate::layout::{Feed, Layout, Recompute, Sharding, Software};
use crate::model::PlanModel;
use crate::roofline::{Kernels, Precision};
use crate::schedule::Schedule;
use crate::table::Row;

/// Rows of the fullest rank over the mean under real routing and a static layout: mean over the ranks' logs of LAER-MoE's artifact
/// (2602.11686), the only published ones.
const REAL_IMBALANCE: f64 = 1.73;
/// Activations of PyTorch frameworks over those of the trainer's programs, without recomputation and where they recompute some: the first keep bf16
/// where the second keep f32, and what the second make again from other kept values. From the Llama rows of SimuMax's B200 table and of torchtitan.
const KEPT: (f64, f64) = (0.83, 0.6);
/// The same where linear layers keep their inputs in 8 bits (Transformer Engine): MLPerf's 405B, and torchtitan.
const KEPT_FLOAT8: (f64, f64) = (0.45, 0.4);
/// Bytes that Megatron of 2022 keeps for every score of attention: softmax and dropout in 16 bits, the mask in 8 (Korthikanti et al., 2205.05198, eq. 1).
const KEPT_SCORES: f64 = 5.0;
/// Expert traffic that DualPipe hides behind another micro-batch's work, and how much slower that work is with 20 of 132 units sending
/// (DeepSeek-V3, 2412.19437, 3.2).
const DUAL_PIPE: (f64, f64) = (0.9, 132.0 / 112.0);
/// Seconds that PyTorch's host side needs for one sparse layer of Megatron, forward and backward, without graphs, and for each expert that the rank holds
/// (its products and casts are launched one by one): Qwen3-30B with 16 experts a rank and micro-batches of one sequence, Megatron-Bridge 25.11 and
/// 26.02 on B200 (28.2 and 27.1 s over 64 micro-batches and 48 layers), and what Qwen3-235B with four saves against Qwen3-30B with 16 where
/// dispatch hides (13.2 and 16.4 ms, H100, 26.02).
const HOST_LAYER: (f64, f64) = (6.2e-3, 0.145e-3);
/// That time where dispatch hides behind another micro-batch, over the time without: passes are issued piece by piece, gradients of weights apart. From
/// Qwen3 on H100 and B300, Megatron-Bridge 26.02 (13 to 17 ms); a report on 256 B200 with that release found 1.3 to 1.4 (45.6 or 50.6 s to 64.8 s).
const HOST_HIDING: f64 = 1.8;
/// Seconds of the host for a dense layer: with everything run again, 24 layers take 3.5 ms each and micro-batch however small these are and over however many
/// ranks they are cut (vTrain's 1,440 runs on 8 A100, Megatron-DeepSpeed, hidden 1,024, one and two sequences).
const HOST_DENSE: f64 = 2.3e-3;
/// That time on the host of GB200 and GB300 over the others': Qwen3-235B, Megatron-Bridge 25.09 (14.8 s over 32 micro-batches and 94 layers, two experts
/// a rank).
const GRACE_HOST: f64 = 0.7;
/// That time where attention, router and what prepares dispatch are replayed as graphs, over the time without. Assumed: experts and exchange, which are
/// still issued one by one, are about half of a sparse layer's kernels.
const GRAPHED: f64 = 0.5;
/// Attention that is not one kernel in Transformer Engine, over attention as the trainer writes it: it computes the scores of all keys, also of those
/// after a query.
const ALL_KEYS: f64 = 2.0;
/// Attention in 8 bits over attention in 16: its engines are twice as fast.
const FLOAT8_ATTENTION: f64 = 0.5;
/// Publications of Megatron-Core and what is built on it, whose recipes are public.
const MEGATRON: [&str; 5] = ["mbridge", "mbskill", "mlperf", "nemo", "dgxc"];
/// Others that run it.
const ON_MEGATRON: [&str; 2] = ["modelzoo", "simumax"];
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

/// Whether a recipe replays attention, router and what prepares dispatch as graphs (`cuda_graph_scope` in scripts/performance/configs of
/// Megatron-Bridge from 26.02 on, and in Megatron-MoE-ModelZoo): on GB200 and GB300, on B300 but for Qwen3-235B, on B200 for DeepSeek-V3 with virtual stages.
fn graphs_parts(system: &str, row: &Row) -> bool {
    let (device, model) = (row.text("device").unwrap_or(""), row.text("model").unwrap_or(""));
    let graphed = match device.get(..4) {
        Some("B300") => !model.starts_with("Qwen3_235B"),
        Some("B200") => model.starts_with("DeepSeek") && row.count("vpp").is_some_and(|n| n > 1),
        _ => device.starts_with("GB"),
    };
    graphed && (release(system).is_some_and(|r| r > 26.01) || system.starts_with("modelzoo"))
}

/// Whether a recipe computes attention in 8 bits and is faster for it (`fp8_dot_product_attention` in scripts/performance/configs from 26.06 on): DeepSeek-V3
/// and Kimi-K2 on GB300 and B300 with micro-batches of one sequence. GPT-OSS has it too, but its heads of 64 wait for exponentials.
fn attends_in_8_bits(system: &str, row: &Row, model: &PlanModel) -> bool {
    let on = row.text("device").is_some_and(|d| d.starts_with("GB300") || d.starts_with("B300"));
    let alone = row.count("micro_batch") == Some(1) && row.text("precision") == Some("MXFP8");
    on && alone && model.latent.is_some() && release(system).is_some_and(|r| r > 26.05)
}

/// Whether latent attention had no kernel for training: on Blackwell before cuDNN 9.11 (`nvte_get_fused_attn_backend` in Transformer Engine), which is
/// later than NeMo 25.04. Recipes of DeepSeek-V3 for GB200 of that time run `core_attn` again, since its scores would not fit.
fn lacks_a_kernel(system: &str, row: &Row, model: &PlanModel) -> bool {
    let blackwell = row.text("device").is_some_and(|d| d.starts_with("GB") || d.starts_with('B'));
    system.starts_with("dgxc25") && blackwell && model.latent.is_some()
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
pub(super) fn software(
    known: &KnownModels,
    system: &str,
    row: &Row,
    layout: &Layout,
    model: &PlanModel,
) -> Software {
    let notes = row.text("notes").unwrap_or("").to_lowercase();
    // Before fused attention kernels.
    let old = system.starts_with("vtrain") || system.starts_with("seqsel") || system.starts_with("mlm-a100");
    let lacking = lacks_a_kernel(system, row, model);
    // Megatron-Bridge turns DeepEP on wherever it drops no tokens (`enable_deepep` in scripts/performance).
    let deduplicated = ["deepep", "hybridep", "flex dispatcher"].iter().any(|w| notes.contains(w))
        || system.starts_with("mbridge") && !row.text("model").is_some_and(|m| m.contains("tokendrop"))
        || system.starts_with("dsv3");
    let neuron = system.starts_with("neuron");
    let dual_pipe = schedule(row) == Schedule::DualPipe;
    let hidden = hides_dispatch(system, row);
    let experts = model.moe().map_or(0.0, |m| m.num_experts as f64 / layout.expert as f64);
    let graphed = if graphs_parts(system, row) { GRAPHED } else { 1.0 };
    let host_layer = graphed * (HOST_LAYER.0 + HOST_LAYER.1 * experts);
    let of = |systems: &[&str]| systems.iter().any(|s| system.starts_with(s));
    let megatron = of(&MEGATRON);
    let precision = precision(row.text("precision").or(system.starts_with("mlperf").then_some("fp8")));
    let policy = layout.recompute;
    let kept = if megatron && precision >= Precision::Float8 { KEPT_FLOAT8 } else { KEPT };
    let no_sequence_parallel = notes.contains("without sequence parallel")
        || notes.contains("no sequence parallel")
        || system.starts_with("vtrain");
    Software {
        kernels: Kernels { fused_attention: !old && !lacking, addressing: false },
        // MLPerf's entries on these devices compute in FP8 where the table is silent.
        precision,
        reduce_every_micro_batch: layout.sharding == Sharding::Weights,
        gradient_bytes: if neuron || old { 4.0 } else { 2.0 },
        deduplicated,
        gradient_sum_bytes: if megatron { 2.0 } else { 4.0 },
        compute: if dual_pipe { DUAL_PIPE.1 } else { 1.0 },
        sequence_parallel: !no_sequence_parallel,
        overlap_expert: match (dual_pipe || hidden, notes.contains("ep overlap off")) {
            (true, _) => Some(DUAL_PIPE.0),
            // NCCL's all-to-all is waited for as soon as it is begun.
            (_, true) => Some(0.0),
            _ => (!deduplicated).then_some(0.0),
        },
        // Where Megatron puts them, and `balance` in VIA-Research/vTrain, src/predictor.py: in its runs on one node a micro-batch of p stages takes as
        // long as the layers of one and the whole head.
        ends_on_top: megatron || of(&ON_MEGATRON) || system.starts_with("vtrain"),
        imbalance: if notes.contains("real routing") || notes.contains("real (unbalanced") {
            REAL_IMBALANCE
        } else {
            1.0
        },
        attention: match (
            system.starts_with("llmfoundry"),
            row.text("device").is_some_and(|d| d.starts_with("A100")),
        ) {
            (false, _) if lacking => ALL_KEYS,
            (false, _) if attends_in_8_bits(system, row, model) => FLOAT8_ATTENTION,
            (false, _) => 1.0,
            (true, true) => TRITON_ATTENTION.0,
            (true, false) => TRITON_ATTENTION.1,
        },
        sparse: known.element_wise(row.text("model").unwrap_or(""))
            * if fused_sparse(system, row) { FUSED_SPARSE } else { 1.0 },
        // Full recomputation keeps inputs of layers alone, which are bf16 in the programs too.
        kept: match policy {
            Recompute::Recompute => 1.0,
            _ if old => 1.0,
            Recompute::SaveDots => kept.1,
            Recompute::SaveEverything => kept.0,
        },
        kept_scores: if old && policy == Recompute::SaveEverything { KEPT_SCORES } else { 0.0 },
        host_layer: match row.text("device").is_some_and(|d| d.starts_with("GB")) {
            _ if fused_sparse(system, row) => 0.0,
            true => GRACE_HOST * host_layer,
            false if hidden => HOST_HIDING * host_layer,
            false => host_layer,
        },
        host_dense: if neuron { 0.0 } else { HOST_DENSE },
        state_bytes: 12.0,
        cloned: 0.0,
        clone_slots: 0.0,
        // Workers of PyTorch's loaders make the next batch meanwhile, of tokens or of mock data.
        feed: Feed { text: false, ahead: true },
    }
}
