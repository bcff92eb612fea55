//! A row of the table of measurements as a question to the pricer.

use serde::Serialize;

use super::models::KnownModels;
use super::software::software;
use crate::ClusterError;
use crate::catalog::Catalog;
use crate::layout::{Layout, Recompute, Sharding, Software};
use crate::model::PlanModel;
use crate::schedule::Schedule;
use crate::step::Pricer;
use crate::table::Row;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Seconds of a step, whatever the table states.
    Step,
    /// Bytes of one device.
    Memory,
    /// That the bytes of one device were not enough.
    #[serde(rename = "out of memory")]
    OutOfMemory,
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
    /// Whether it ran out of memory, whatever else it says.
    pub out_of_memory: bool,
    /// Whether its activations may lie on the host.
    pub offloads_activations: bool,
    /// Part of memory that the row is about: `all`, `activations` or `state`.
    pub memory_part: &'static str,
}

/// Pieces of a stage where a publication describes interleaving and its rows do not say how many.
const USUAL_VIRTUAL_STAGES: usize = 6;

/// The name of a release or publication: the id without its number.
pub fn system_of(id: &str) -> String {
    id.rsplit_once('-').filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit())).map_or(id, |s| s.0).into()
}

/// Whether a row is among the third that no fit sees, by a hash of its id (FNV-1a), so that constants which suit single rows show.
pub fn is_kept_aside(id: &str) -> bool {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    id.bytes().fold(0xcbf2_9ce4_8422_2325, step).is_multiple_of(3)
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

pub(super) fn schedule(row: &Row) -> Schedule {
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

/// Whether a run keeps activations in host memory as far as the device has no room: Megatron-Bridge's recipes with fully sharded weights on Grace do so
/// with 20 or 40 of 80 layers of Llama 3 70B and 95 of 126 of 405B (`cpu_offloading_num_layers` in scripts/performance/configs/llama).
fn offloads_activations(system: &str, row: &Row) -> bool {
    let notes = row.text("notes").unwrap_or("").to_lowercase();
    let grace = row.text("device").is_some_and(|d| d.starts_with("GB"));
    notes.contains("activation offloading")
        || system.starts_with("mbridge") && grace && sharding(system, row) == Sharding::Weights
}

/// What a run recomputed, where its row or its publication says so: NeMo's recipes (`recompute_layers` and `recompute_modules` of
/// scripts/performance/recommended_model_configs) nothing but parts of attention of DeepSeek-V3.
fn stated_recompute(system: &str, row: &Row) -> Option<Recompute> {
    let deepseek = row.text("model").is_some_and(|m| m.starts_with("DeepSeek"));
    let notes = row.text("notes").unwrap_or("").to_lowercase();
    match row.text("recompute") {
        Some(t) if t.starts_with("full") => Some(Recompute::Recompute),
        Some(t) if t.starts_with("selective") && !t.ends_with("none") => Some(Recompute::SaveDots),
        Some(_) => Some(Recompute::SaveEverything),
        // DeepSeek-V3 runs norms and the projections up from latents again (2412.19437, 3.2.3).
        None if system.starts_with("dsv3") => Some(Recompute::SaveDots),
        None if system.starts_with("dgxc") && deepseek => Some(Recompute::SaveDots),
        None if system.starts_with("dgxc") || system.starts_with("nemo") => Some(Recompute::SaveEverything),
        None => (notes.contains("without activation checkpointing") || offloads_activations(system, row))
            .then_some(Recompute::SaveEverything),
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

/// What a run recomputed that nobody describes: as little as it could, since it ran. Nothing where all of that would not do.
fn as_little_as_fits(
    pricer: &Pricer<'_>,
    layout: &Layout,
    software: impl Fn(&Layout) -> Software,
) -> Result<Recompute, ClusterError> {
    for recompute in Recompute::ALL {
        let tried = Layout { recompute, ..*layout };
        let memory = pricer.price(&tried, &software(&tried))?.memory;
        if memory.total() <= pricer.rank().room() {
            return Ok(recompute);
        }
    }
    Ok(layout.recompute)
}

/// Whether a row is of a run that ran out of memory.
pub fn ran_out_of_memory(row: &Row) -> bool {
    let notes = row.text("notes").unwrap_or("");
    row.text("metric_name") == Some("oom") || notes.contains("OOM") || notes.contains("out of memory")
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
    let mut layout = Layout {
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
        recompute: Recompute::SaveEverything,
        sharding: sharding(&system, row),
        offload: false,
    };
    if !layout.is_consistent() {
        return Err("expert degrees that do not divide the ranks of a stage".into());
    }
    let run = |layout: &Layout| software(known, &system, row, layout, &model);
    if let Some(known) = stated_recompute(&system, row) {
        layout.recompute = known;
    } else if !ran_out_of_memory(row) {
        let instance = catalog.instance(instance).map_err(|e| e.to_string())?;
        let pricer = Pricer::new(&model, device, instance, seq).map_err(|e| e.to_string())?;
        layout.recompute = as_little_as_fits(&pricer, &layout, run).map_err(|e| e.to_string())?;
    }
    let software = run(&layout);
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
        "oom" => (Metric::OutOfMemory, device.memory.bytes.get().unwrap_or(0.0), "all"),
        other => return Err(format!("metric `{other}` has no prediction")),
    };
    Ok(Case {
        id: id.into(),
        offloads_activations: offloads_activations(&system, row),
        system,
        model,
        device: device.name.clone(),
        instance: instance.into(),
        layout,
        software,
        seq,
        metric,
        measured,
        out_of_memory: ran_out_of_memory(row),
        memory_part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_nobody_describes_recomputed_what_it_had_to() {
        let path = std::env::temp_dir().join(format!("collegium-recompute-{}.csv", std::process::id()));
        let head = "id,model,seq_len,device,devices,tp,pp,micro_batch,global_batch,precision,recompute,metric_name,metric_value,notes\n";
        // 8 billion parameters in shares of eight H100: sequences of 8,192, one and eight of them at once.
        let rows = "llmfoundry-1,LLAMA3_8B,8192,H100,8,1,1,1,128,BF16,,step_time_s,9,\n\
                    llmfoundry-2,LLAMA3_8B,8192,H100,8,1,1,8,128,BF16,,step_time_s,9,\n\
                    llmfoundry-3,LLAMA3_8B,8192,H100,8,1,1,8,128,BF16,none,step_time_s,9,\n\
                    llmfoundry-4,LLAMA3_8B,8192,H100,8,1,1,8,128,BF16,,step_time_s,9,run without activation checkpointing\n\
                    llmfoundry-5,LLAMA3_8B,8192,H100,8,1,1,8,128,BF16,,oom,1,\n\
                    llmfoundry-6,LLAMA3_8B,8192,H100,8,1,1,1,128,BF16,full,step_time_s,9,\n";
        std::fs::write(&path, format!("{head}{rows}")).unwrap();
        let rows = crate::table::read(&path, &["id", "model"]).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (catalog, known) = (Catalog::default(), KnownModels::default());
        let found: Vec<Recompute> = rows
            .iter()
            .map(|r| read(&catalog, &known, r).map_err(|e| panic!("{e}")).unwrap().layout.recompute)
            .collect();
        let (all, nothing) = (Recompute::SaveEverything, Recompute::Recompute);
        assert_eq!(found[1..], [nothing, all, all, all, nothing]);
        assert_ne!(found[0], nothing, "one sequence fits with little recomputed");
    }

    #[test]
    fn recipes_say_what_was_run_again_and_which_attention_had_no_kernel() {
        let path = std::env::temp_dir().join(format!("collegium-recipes-{}.csv", std::process::id()));
        let head = "id,model,seq_len,device,devices,tp,pp,ep,micro_batch,global_batch,precision,metric_name,metric_value\n";
        let row = |id: &str, model: &str, device: &str| {
            format!("{id},{model},4096,{device},512,2,4,64,1,4096,BF16,step_time_s,30\n")
        };
        let rows = [
            row("dgxc25.05-1", "DeepSeek-V3", "GB200"),
            row("dgxc25.05-2", "DeepSeek-V3", "H100"),
            row("mbridge-26.04-1", "DeepSeekV3", "GB200"),
            row("dgxc25.05-3", "Llama4-Maverick-400B", "GB200"),
        ];
        std::fs::write(&path, head.to_string() + &rows.concat()).unwrap();
        let rows = crate::table::read(&path, &["id", "model"]).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (catalog, known) = (Catalog::default(), KnownModels::default());
        let cases: Vec<Case> =
            rows.iter().map(|r| read(&catalog, &known, r).unwrap_or_else(|e| panic!("{e}"))).collect();
        let fused: Vec<bool> = cases.iter().map(|c| c.software.kernels.fused_attention).collect();
        assert_eq!(fused, [false, true, true, true]);
        let again: Vec<Recompute> = cases.iter().map(|c| c.layout.recompute).collect();
        assert_eq!(again[..2], [Recompute::SaveDots; 2]);
        assert_eq!(again[3], Recompute::SaveEverything);
        // NCCL's all-to-all hides nothing; what sends a row once to a domain is the device's.
        let hidden: Vec<Option<f64>> = cases.iter().map(|c| c.software.overlap_expert).collect();
        assert_eq!(hidden, [Some(0.0), Some(0.0), None, Some(0.0)]);
    }

    #[test]
    fn a_third_is_kept_aside_whatever_the_ids_look_like() {
        for source in ["mbridge-26.02-", "vtrain-multi-", "x"] {
            let aside = (0..3000).filter(|i| is_kept_aside(&format!("{source}{i:03}"))).count();
            assert!((900..1100).contains(&aside), "{source}: {aside} of 3,000");
        }
    }
}
