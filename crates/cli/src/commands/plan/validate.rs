//! `collegium plan validate`: predictions beside published measurements.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use collegium_cluster::collective::{self, CollectiveReport, Kind};
use collegium_cluster::validate::{self, Metric, Order, Orders, Outcome, Report};
use collegium_cluster::{Catalog, Errors, table};
use collegium_report::panels::{Scatter, write_scatters};

use super::catalog;
use crate::args::plan::ValidateArgs;
use crate::commands::print_json;

/// Runs the command.
pub fn run(args: &ValidateArgs) -> crate::commands::Outcome {
    let catalog = catalog(&args.describe)?;
    if args.rows.is_none() && args.collectives.is_none() {
        anyhow::bail!("nothing to validate; give --rows FILE, --collectives FILE or both");
    }
    if let Some(path) = &args.collectives {
        let rows = table::read(path, &["system", "op", "ranks", "bytes", "time_us"])?;
        let report = collective::check(&catalog, &rows);
        match (args.fit, args.json) {
            (true, _) => print_fit(&catalog, &report),
            (false, true) => print_json(&report)?,
            (false, false) => print_collectives(&report),
        }
    }
    if let Some(path) = &args.rows {
        let rows = table::read(path, &["id", "model", "device", "metric_name", "metric_value"])?;
        let report = validate::check(&catalog, &rows);
        if let Some(path) = &args.plot {
            plot(path, &report)?;
        }
        if args.json {
            print_json(&report)?;
        } else {
            print_rows(&report);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One drawing: rows of one kind, a point of each in the colour of its device, and the line where predictions agree with measurements.
struct Drawing {
    title: &'static str,
    x: &'static str,
    wanted: fn(&Outcome) -> bool,
    point: fn(&Outcome) -> (f64, f64),
    agreement: fn(f64) -> f64,
}

const DRAWINGS: [Drawing; 3] = [
    Drawing {
        title: "Dense: predicted over measured",
        x: "devices",
        wanted: |o| !o.sparse,
        point: |o| (o.devices as f64, o.predicted / o.measured),
        agreement: |_| 1.0,
    },
    Drawing {
        title: "Sparse: predicted over measured",
        x: "devices",
        wanted: |o| o.sparse,
        point: |o| (o.devices as f64, o.predicted / o.measured),
        agreement: |_| 1.0,
    },
    Drawing {
        title: "Predicted seconds of a step",
        x: "measured",
        wanted: |_| true,
        point: |o| (o.measured, o.predicted),
        agreement: |measured| measured,
    },
];

fn plot(path: &Path, report: &Report) -> anyhow::Result<()> {
    let scatter = |drawing: &Drawing| -> Option<Scatter> {
        let mut points: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for o in report.rows.iter().filter(|o| o.metric == Metric::Step && (drawing.wanted)(o)) {
            points.entry(o.device.clone()).or_default().push((drawing.point)(o));
        }
        let at = points.values().flatten().map(|p| p.0);
        let ends = [at.clone().min_by(f64::total_cmp)?, at.max_by(f64::total_cmp)?];
        let line = ends.map(|x| (x, (drawing.agreement)(x))).to_vec();
        let (title, x) = (drawing.title.into(), drawing.x.into());
        Some(Scatter {
            title,
            x,
            points: points.into_iter().collect(),
            lines: vec![("agreement".into(), line)],
        })
    };
    let scatters: Vec<Scatter> = DRAWINGS.iter().filter_map(scatter).collect();
    Ok(write_scatters(path, "Predictions beside published measurements", &scatters)?)
}

fn print_rows(report: &Report) {
    println!("error of the predicted step time in percent");
    println!("{:<32}{:>6}{:>9}{:>9}{:>10}{:>9}", "", "rows", "median", "p90", "signed", "max");
    println!("{}", line("all", &report.step));
    let cuts = [
        ("kind", &report.by_kind),
        ("device", &report.by_device),
        ("devices", &report.by_scale),
        ("system", &report.by_system),
        ("model", &report.by_model),
        ("fold: a third of the rows is kept aside from every fit", &report.by_fold),
    ];
    for (what, cut) in cuts {
        println!("\nby {what}");
        cut.iter().for_each(|(name, e)| println!("{}", line(name, e)));
    }
    println!("\n{}", line("memory of a device", &report.memory));
    println!(
        "nine of ten measured peaks are below {:.2} times their prediction, nine of ten above {:.2} times",
        report.memory_above, report.memory_below
    );
    for (who, f) in [("ran out of memory", &report.ran_out), ("ran", &report.ran)] {
        println!(
            "runs that {who}: {} said not to fit, {} that may not fit, {} to fit; {} say too little",
            f.does_not_fit, f.may_not_fit, f.fits, f.left_out
        );
    }
    print_orders(&report.pairs);
    for p in &report.routing {
        println!(
            "real routing over forced balance, {} and {}: {:.3} measured, {:.3} predicted",
            p.real, p.forced, p.measured, p.predicted
        );
    }
    println!("\nin the stated band, which is made for 80 %");
    report.band.iter().for_each(|(name, c)| {
        println!("  {name:<30}{} of {} ({:.0} %)", c.within, c.rows, 100.0 * c.within as f64 / c.rows as f64);
    });
    println!("\n{} rows left out", report.skipped_rows.len());
    report.skipped.iter().for_each(|(why, n)| println!("  {n:>5}  {why}"));
}

fn print_orders(orders: &Orders) {
    let order =
        |o: &Order| format!("{} of {} pairs ordered as measured ({:.0} %)", o.ordered, o.pairs, o.percent());
    println!("\nlayouts of one model, device and batch: {}", order(&orders.all));
    orders.by_runs.iter().for_each(|(name, o)| println!("  {name:<46}{}", order(o)));
    println!("and by how far apart the two were measured");
    orders.by_distance.iter().for_each(|(name, o)| println!("  {name:<46}{}", order(o)));
}

fn line(name: &str, e: &Errors) -> String {
    let short: String = name.chars().take(30).collect();
    format!("{short:<32}{:>6}{:>9.1}{:>9.1}{:>10.1}{:>9.1}", e.rows, e.median, e.p90, e.signed, e.max)
}

fn print_collectives(report: &CollectiveReport) {
    println!("collectives of at least 1 MB, error of the predicted time in percent");
    println!("{:<32}{:>6}{:>9}{:>9}{:>10}{:>9}", "system", "rows", "median", "p90", "signed", "max");
    report.systems.iter().for_each(|(name, e)| println!("{}", line(name, e)));
    println!("{}", line("all", &report.all));
    println!("\nof these, over numbers of ranks that no curve was fitted at");
    report.held_out_ranks.iter().for_each(|(name, e)| println!("{}", line(name, e)));
    let left_out: usize = report.skipped.values().sum();
    println!("\n{left_out} rows left out");
    report.skipped.iter().for_each(|(why, n)| println!("  {n:>5}  {why}"));
}

/// Curves over the smallest and the largest number of ranks of every device; those between test the interpolation.
fn print_fit(catalog: &Catalog, report: &CollectiveReport) {
    for device in &catalog.devices {
        let own: Vec<_> = report
            .rows
            .iter()
            .filter(|r| r.system == device.name || device.aliases.contains(&r.system))
            .cloned()
            .collect();
        let (Some(least), Some(most)) =
            (own.iter().map(|r| r.ranks).min(), own.iter().map(|r| r.ranks).max())
        else {
            continue;
        };
        println!("# {}", device.name);
        for (name, kind) in Kind::ALL {
            for ranks in [least, most] {
                if let Some(us) = collective::fit(&own, kind, ranks) {
                    println!("[[link.curves]]\nkind = \"{name}\"\nranks = {ranks}\nus = {us:?}");
                }
            }
        }
    }
}
