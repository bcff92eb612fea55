//! Measures this machine's CPU as programs of the plugin see it, and describes it for `collegium plan`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use collegium_cluster::Catalog;
use collegium_core::{DType, HostTensor};
use collegium_hlo::{Graph, Mesh, Program, dim};
use collegium_model::layers::EXPERT_AXIS;
use collegium_runtime::{Backend, PjrtBackend, platform};
use serde_json::json;

use super::{Outcome, print_json};

/// Sizes of the product that shows the rate, and the short contraction that shows what filling costs.
const PRODUCT: [usize; 3] = [1024, 1024, 1024];
const SHORT: usize = 32;
/// Numbers of the sum that shows the bandwidth: far more than any cache.
const STREAM: usize = 1 << 25;
/// Runs of each program; the fastest counts.
const RUNS: usize = 7;

/// What was measured.
struct Found {
    float32: f64,
    bfloat16: f64,
    contraction_half: f64,
    bandwidth: f64,
    launch: f64,
    memory: f64,
    cores: usize,
}

/// Measures and writes the description.
pub fn describe(file: &Path, as_json: bool) -> Outcome {
    let platform = platform::by_name("cpu")?;
    let client = platform.open(&platform.find(None)?, Some(1))?;
    let backend: Arc<dyn Backend> = Arc::new(PjrtBackend::new(client, 1)?);
    let found = measure(&*backend)?;
    let text = text(&found)?;
    Catalog::default().add(&file.display().to_string(), &text)?;
    collegium_checkpoint::write_file(file, text.as_bytes())?;
    if as_json {
        print_json(&json!({
            "file": file, "float32_flops": found.float32, "bfloat16_flops": found.bfloat16,
            "contraction_half": found.contraction_half, "bandwidth": found.bandwidth, "launch_seconds": found.launch,
        }))?;
    } else {
        println!(
            "products        {:.1} GFLOP/s float32, {:.1} bfloat16",
            found.float32 / 1e9,
            found.bfloat16 / 1e9
        );
        println!("half rate at    a contraction of {:.0}", found.contraction_half);
        println!("memory          {:.1} GB/s", found.bandwidth / 1e9);
        println!("a program       {:.1} us", found.launch * 1e6);
        println!("written         {}; plan with --describe {0} --cluster laptop", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(backend: &dyn Backend) -> anyhow::Result<Found> {
    let [m, n, k] = PRODUCT;
    let flops = |k: usize| 2.0 * (m * n * k) as f64;
    let float32 = flops(k) / fastest(backend, &product(DType::F32, k)?)?;
    let bfloat16 = flops(k) / fastest(backend, &product(DType::Bf16, k)?)?;
    let short = flops(SHORT) / fastest(backend, &product(DType::F32, SHORT)?)?;
    let bytes = 12.0 * STREAM as f64;
    let memory =
        backend.memory(0).and_then(|m| m.limit_bytes).context("the size of memory is unknown here")?;
    Ok(Found {
        float32,
        bfloat16,
        contraction_half: (SHORT as f64 * (float32 / short - 1.0)).max(1.0),
        bandwidth: bytes / fastest(backend, &sum(STREAM)?)?,
        launch: fastest(backend, &sum(8)?)?,
        memory: memory as f64,
        cores: std::thread::available_parallelism()?.get(),
    })
}

fn product(dtype: DType, k: usize) -> anyhow::Result<Program> {
    let graph = Graph::new(Mesh::new(&[(EXPERT_AXIS, 1)]));
    let a = graph.parameter("a", dtype, &[dim("token", PRODUCT[0]), dim("hidden", k)]);
    let b = graph.parameter("b", dtype, &[dim("out", PRODUCT[1]), dim("hidden", k)]);
    Ok(graph.finish("product", &[("c", a.dot_as(b, &["hidden"], DType::F32))])?)
}

fn sum(numbers: usize) -> anyhow::Result<Program> {
    let graph = Graph::new(Mesh::new(&[(EXPERT_AXIS, 1)]));
    let a = graph.parameter("a", DType::F32, &[dim("token", numbers)]);
    let b = graph.parameter("b", DType::F32, &[dim("token", numbers)]);
    Ok(graph.finish("sum", &[("c", a + b)])?)
}

/// Seconds of the fastest run; the first compiles and warms.
fn fastest(backend: &dyn Backend, program: &Program) -> anyhow::Result<f64> {
    let compiled = backend.compile(program)?;
    let inputs = program
        .inputs()
        .map(|(_, shape)| {
            let sizes: Vec<usize> = shape.dims.iter().map(|d| d.size).collect();
            Ok(backend.replicate(&HostTensor::zeros(shape.dtype, &sizes))?)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut least = f64::INFINITY;
    for _ in 0..=RUNS {
        let started = Instant::now();
        for array in compiled.run(inputs.clone())? {
            array.wait()?;
        }
        least = least.min(started.elapsed().as_secs_f64());
    }
    Ok(least)
}

/// The description: what was measured, and for the rest what the shipped description of a CPU says.
fn text(found: &Found) -> anyhow::Result<String> {
    let catalog = Catalog::default();
    let c = &catalog.device("cpu")?.calibration;
    let source = "collegium doctor --calibrate: fastest of 7 runs";
    Ok(format!(
        "# This machine, written by `collegium doctor --calibrate`; `collegium plan --describe FILE --cluster laptop` plans for it.\n\
         name = \"cpu\"\ntitle = \"{} threads of this machine\"\nplatform = \"cpu\"\n\n\
         [memory]\nbytes = {{ value = {:e}, source = \"/proc/meminfo\", date = \"measured\" }}\n\
         bandwidth = {{ value = {:e}, source = \"{source}\", date = \"measured\" }}\n\
         reserved = {{ value = 1e9, source = \"operating system; assumed\", date = \"2026-11\" }}\n\n\
         [matrix]\nfloat32 = {{ value = {:e}, source = \"{source}\", date = \"measured\" }}\n\
         bfloat16 = {{ value = {:e}, source = \"{source}\", date = \"measured\" }}\n\n\
         [power]\nidle = {{ source = \"not measured: collegium energy\" }}\nmax = {{ source = \"not measured: collegium energy\" }}\n\n\
         [link]\ntopology = \"none\"\nbandwidth = {{ source = \"virtual devices share memory\" }}\nlatency = {{ source = \"one device\" }}\n\n\
         [calibration]\nsource = \"products, memory and launches measured here; the rest as shipped\"\n\
         matrix_share = {{ float32 = 1.0, bfloat16 = 1.0 }}\ntile = [1, 1]\nunits = 1\ncontraction_half = {:.1}\n\
         attention_share = {:?}\nmemory_share = 1.0\nfusion = {:?}\nlaunch = {:e}\noverlap_data = 0.0\noverlap_tensor = 0.0\n\
         overlap_expert = 0.0\nstraggle_per_doubling = 0.0\nupdate_share = {:?}\nspread = {:?}\nspread_sparse = {:?}\n",
        found.cores,
        found.memory,
        found.bandwidth,
        found.float32,
        found.bfloat16,
        found.contraction_half,
        c.attention_share,
        c.fusion,
        found.launch,
        c.update_share,
        c.spread,
        c.spread_sparse,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_a_description_that_plan_reads() {
        let found = Found {
            float32: 1.5e11,
            bfloat16: 2e11,
            contraction_half: 12.0,
            bandwidth: 3e10,
            launch: 4e-5,
            memory: 1.6e10,
            cores: 2,
        };
        let mut catalog = Catalog::default();
        catalog.add("cpu.toml", &text(&found).unwrap()).unwrap();
        let device = catalog.device("cpu").unwrap();
        assert_eq!(device.matrix["float32"].value, Some(1.5e11));
        assert_eq!(device.calibration.contraction_half, 12.0);
        assert_eq!(
            catalog.devices.iter().filter(|d| d.name == "cpu").count(),
            1,
            "it replaces the shipped one"
        );
    }
}
