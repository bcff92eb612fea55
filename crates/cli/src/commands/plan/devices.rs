//! `collegium plan devices`.

use std::process::ExitCode;

use collegium_cluster::{Catalog, Device, Figure, Instance};
use serde_json::{Value, json};

use crate::args::plan::DevicesArgs;
use crate::commands::{Outcome, print_json};

/// Runs the command.
pub fn run(args: &DevicesArgs) -> Outcome {
    let catalog = Catalog::default();
    match &args.name {
        Some(name) => show(&catalog, name, args.json)?,
        None if args.json => print_json(&json!({
            "devices": catalog.devices.iter().map(|d| json!({"name": d.name, "title": d.title})).collect::<Vec<_>>(),
            "clusters": catalog.instances.iter().map(|i| json!({"name": i.name, "title": i.title, "device": i.device})).collect::<Vec<_>>(),
        }))?,
        None => list(&catalog),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(catalog: &Catalog) {
    println!("clusters (--cluster NAME:N)");
    for i in &catalog.instances {
        let price = i.price_of(None).map_or("no price known".to_string(), |p| {
            format!("{} $/h {} {}", p.usd_per_hour, p.kind.replace('_', " "), p.date)
        });
        println!("  {:<24}{:<44}{price}", i.name, i.title);
    }
    println!("\ndevices");
    for d in &catalog.devices {
        println!("  {:<24}{}", d.name, d.title);
    }
}

/// Every figure of a device, by name.
fn figures(d: &Device) -> Vec<(String, &Figure)> {
    let mut all = vec![
        ("memory, bytes".to_string(), &d.memory.bytes),
        ("memory, bytes/s".into(), &d.memory.bandwidth),
        ("memory reserved, bytes".into(), &d.memory.reserved),
    ];
    all.extend(d.matrix.iter().map(|(k, f)| (format!("matrix {k}, FLOP/s"), f)));
    all.extend([
        ("power idle, W".into(), &d.power.idle),
        ("power limit, W".into(), &d.power.max),
        ("links, bytes/s".into(), &d.link.bandwidth),
        ("link latency, s".into(), &d.link.latency),
    ]);
    all
}

fn figures_of_instance(i: &Instance) -> Vec<(String, &Figure)> {
    vec![
        ("network per device, bytes/s".into(), &i.network.bandwidth),
        ("network latency, s".into(), &i.network.latency),
        ("power beside devices, W".into(), &i.host_power),
        ("power usage effectiveness".into(), &i.pue),
        ("storage, bytes/s".into(), &i.storage),
        ("hours between failures".into(), &i.hours_between_failures),
        ("host memory, bytes".into(), &i.host.memory),
        ("host memory, bytes/s".into(), &i.host.bandwidth),
        ("host to a device, bytes/s".into(), &i.host.link),
        ("text to tokens, bytes/s".into(), &i.host.tokenise),
    ]
}

fn show(catalog: &Catalog, name: &str, as_json: bool) -> anyhow::Result<()> {
    let (title, rows, calibration) = match (catalog.device(name), catalog.instance(name)) {
        (Ok(d), _) => (d.title.clone(), figures(d), d.calibration.source.clone()),
        (Err(_), Ok(i)) => {
            (format!("{}, network {}", i.title, i.network.fabric), figures_of_instance(i), String::new())
        }
        (Err(_), Err(error)) => return Err(error.into()),
    };
    if as_json {
        let figure = |f: &Figure| json!({ "value": f.value, "source": f.source, "date": f.date });
        let all: serde_json::Map<String, Value> = rows.iter().map(|(k, f)| (k.clone(), figure(f))).collect();
        return print_json(
            &json!({ "name": name, "title": title, "figures": all, "calibration": calibration }),
        );
    }
    println!("{title}");
    for (what, f) in rows {
        let value = f.value.map_or("unknown".to_string(), |v| format!("{v:.4e}"));
        println!("  {what:<30}{value:>12}  {} {}", f.source, f.date);
    }
    if !calibration.is_empty() {
        println!("  shares reached: {calibration}");
    }
    Ok(())
}
