//! `collegium doctor`.

use std::process::ExitCode;

use collegium_runtime::platform::{self, Survey};
use serde_json::{Value, json};

use super::{Outcome, measure, print_json};
use crate::args::DoctorArgs;

/// Runs the command.
pub fn run(args: &DoctorArgs) -> Outcome {
    if args.fetch {
        let path = platform::by_name("cpu")?.find(None)?;
        eprintln!("the CPU plugin is at {}", path.display());
    }
    if let Some(file) = &args.calibrate {
        return measure::describe(file, args.json);
    }
    let found = platform::survey();
    if args.json {
        print_json(&json!({
            "platforms": found.iter().map(object).collect::<Vec<Value>>(),
            "program_cache": program_cache(),
        }))?;
    } else {
        found.iter().for_each(print);
        print_cache();
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of compiled programs, how many there are and how large they are together; `null` where it is turned off.
fn program_cache() -> Value {
    let Some(folder) = platform::program_folder() else { return Value::Null };
    let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let sizes: Vec<u64> = files.filter_map(|f| Some(f.metadata().ok()?.len())).collect();
    json!({ "folder": folder, "programs": sizes.len(), "bytes": sizes.iter().sum::<u64>() })
}

fn print_cache() {
    let cache = program_cache();
    if cache.is_null() {
        println!("compiled programs are not kept (COLLEGIUM_PROGRAM_CACHE=off)");
        return;
    }
    println!(
        "compiled programs: {}, {:.1} MB in {}",
        cache["programs"],
        cache["bytes"].as_f64().unwrap_or(0.0) / 1e6,
        cache["folder"].as_str().unwrap_or_default()
    );
}

fn object(s: &Survey) -> Value {
    let devices: Vec<Value> = s
        .devices
        .iter()
        .map(|d| json!({ "id": d.id, "kind": d.kind, "memory_bytes": d.memory_bytes }))
        .collect();
    json!({
        "platform": s.platform,
        "plugin": s.plugin,
        "api_version": s.api_version.map(|(major, minor)| format!("{major}.{minor}")),
        "platform_version": s.platform_version,
        "custom_calls": s.custom_calls,
        "devices": devices,
        "problem": s.problem,
        "remedy": s.remedy,
    })
}

fn print(s: &Survey) {
    println!("{:<8}{}", s.platform, s.summary);
    if let Some(path) = &s.plugin {
        println!("  plugin    {}", path.display());
    }
    if let Some((major, minor)) = s.api_version {
        let calls = if s.custom_calls { ", runs this program's kernels" } else { "" };
        println!(
            "  version   PJRT {major}.{minor}{calls}; {}",
            s.platform_version.as_deref().unwrap_or("no version told")
        );
    }
    for device in &s.devices {
        let memory = device.memory_bytes.map_or(String::new(), |b| format!(", {:.1} GB", b as f64 / 1e9));
        println!("  device    {} {}{memory}", device.id, device.kind);
    }
    if let Some(problem) = &s.problem {
        println!("  missing   {problem}");
    }
    if let Some(remedy) = &s.remedy {
        println!("  remedy    {remedy}");
    }
}
