//! Rows per expert, or per rank, by layer and step: one heat map per MoE layer, experts from top to bottom, steps from left to
//! right. The colour is an expert's load, its rows over the layer's mean: 1 is grey, busier is red, idler is blue.
//! Cells of one colour are one SVG path of merged runs, which keeps the page small; the tooltip reads a string with one
//! character per cell.

use super::{axis::Axis, escape};
use crate::record::StepRecord;
use std::fmt::Write;

/// Where one colour ends and the next begins, symmetric in ratio around 1.
const EDGES: [f64; 8] = [0.25, 0.5, 0.7, 0.9, 1.1, 1.43, 2.0, 4.0];
/// Load in tenths as one character; the last one means "this or more".
const TENTHS: &[u8; 63] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
const NO_ROWS: char = '.';
/// Cells on the whole page, and columns in one map.
const PAGE_CELLS: usize = 300_000;
const MOST_COLUMNS: usize = 150;
const FEWEST_COLUMNS: usize = 12;

/// What a map shows, `[MoE layer][expert or rank]`.
pub(crate) type RowsOf = fn(&StepRecord) -> Option<&Vec<Vec<u32>>>;

/// The section's content for all MoE layers; `unit` is what a line of a map is: `expert` or `rank`.
pub(crate) fn heat_maps(steps: &[StepRecord], unit: &str, rows_of: RowsOf) -> String {
    let recorded: Vec<&StepRecord> = steps.iter().filter(|s| rows_of(s).is_some()).collect();
    let rows = |record: &StepRecord, layer: usize| -> Vec<u32> {
        rows_of(record).and_then(|r| r.get(layer)).cloned().unwrap_or_default()
    };
    let num_layers = recorded.iter().filter_map(|r| Some(rows_of(r)?.len())).max().unwrap_or(0);
    if num_layers == 0 {
        return format!(
            "<p class=\"card empty\">No rows per {unit} were recorded: the model has no MoE layer, or the run ended before its first record.</p>"
        );
    }
    let num_experts: usize = rows_of(recorded[0]).into_iter().flatten().map(Vec::len).sum();
    let most = (PAGE_CELLS / num_experts.max(1)).clamp(FEWEST_COLUMNS, MOST_COLUMNS);
    let mut out = legend();
    // A few maps stand two in a row, many stand three.
    out += if num_layers <= 4 { "<div class=\"plots\">" } else { "<div class=\"plots small\">" };
    for layer in 0..num_layers {
        let columns: Vec<Column> = recorded
            .chunks(recorded.len().div_ceil(most))
            .map(|chunk| Column::new(chunk, |r| rows(r, layer)))
            .collect();
        out += &heat_map(layer, unit, &columns);
    }
    out + "</div>"
}

/// The mean loads of one layer's experts over a few records.
struct Column {
    first_step: u64,
    last_step: u64,
    loads: Vec<Option<f64>>,
}

impl Column {
    fn new(records: &[&StepRecord], rows: impl Fn(&StepRecord) -> Vec<u32>) -> Column {
        let mut sums: Vec<(f64, u32)> = Vec::new();
        for record in records {
            let rows = rows(record);
            let mean = rows.iter().map(|&r| f64::from(r)).sum::<f64>() / rows.len() as f64;
            sums.resize(sums.len().max(rows.len()), (0.0, 0));
            for (sum, &r) in sums.iter_mut().zip(&rows).filter(|_| mean > 0.0) {
                *sum = (sum.0 + f64::from(r) / mean, sum.1 + 1);
            }
        }
        Column {
            first_step: records.first().map_or(0, |r| r.step),
            last_step: records.last().map_or(0, |r| r.step),
            loads: sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect(),
        }
    }
}

fn heat_map(layer: usize, unit: &str, columns: &[Column]) -> String {
    let num_experts = columns.iter().map(|c| c.loads.len()).max().unwrap_or(0);
    let load = |column: usize, expert: usize| columns[column].loads.get(expert).copied().flatten();
    let mut paths = vec![String::new(); EDGES.len() + 1];
    let mut cells = String::with_capacity(num_experts * columns.len());
    for expert in 0..num_experts {
        let mut column = 0;
        while column < columns.len() {
            let level = load(column, expert).map(level);
            let end = (column..columns.len())
                .find(|&c| load(c, expert).map(self::level) != level)
                .unwrap_or(columns.len());
            if let Some(level) = level {
                let _ = write!(paths[level], "M{column} {expert}h{w}v1h-{w}z", w = end - column);
            }
            column = end;
        }
        cells.extend((0..columns.len()).map(|c| load(c, expert).map_or(NO_ROWS, tenths)));
    }
    let paths = paths.iter().enumerate().filter(|(_, d)| !d.is_empty());
    let paths: String = paths.map(|(level, d)| format!("<path class=\"h{level}\" d=\"{d}\"/>")).collect();
    let peak = columns.last().map_or(0.0, |c| c.loads.iter().flatten().fold(0.0, |a: f64, &b| a.max(b)));
    let steps: Vec<String> = columns.iter().map(Column::steps).collect();
    format!(
        "<figure class=\"card\"><figcaption><b>MoE layer {layer}</b> <span>{num_experts} {unit}s, max/mean {peak:.2} at the end</span></figcaption>\
         <div class=\"heat\" data-unit=\"{unit}\" data-columns=\"{width}\" data-experts=\"{num_experts}\" data-steps=\"{steps}\" data-cells=\"{cells}\">\
         <div class=\"ylabels\"><span style=\"bottom:100%\">0</span><span style=\"bottom:0%\">{last}</span></div>\
         <div class=\"area\" style=\"height:{height}px\"><svg viewBox=\"0 0 {width} {num_experts}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{paths}</svg></div>\
         {x_labels}</div></figure>",
        width = columns.len(),
        steps = escape(&steps.join(",")),
        last = num_experts.saturating_sub(1),
        height = (num_experts * 6).clamp(48, 200),
        x_labels = x_labels(columns),
    )
}

impl Column {
    fn steps(&self) -> String {
        if self.first_step == self.last_step {
            format!("{}", self.first_step)
        } else {
            format!("{}–{}", self.first_step, self.last_step)
        }
    }
}

/// Columns are equally wide whatever steps they hold, so a tick is put at the column that reaches its step.
fn x_labels(columns: &[Column]) -> String {
    let (Some(first), Some(last)) = (columns.first(), columns.last()) else { return String::new() };
    let axis = Axis::steps(first.first_step as f64, last.last_step as f64);
    let place = |tick: f64| columns.iter().position(|c| c.last_step as f64 >= tick).unwrap_or(0) as f64 + 0.5;
    let ticks = axis.tick_values().map(|(tick, text)| {
        format!("<span style=\"left:{:.2}%\">{text}</span>", place(tick) / columns.len() as f64 * 100.0)
    });
    format!("<div class=\"xlabels\">{}</div><div class=\"xtitle\">step</div>", ticks.collect::<String>())
}

fn legend() -> String {
    let mut out = "<p class=\"scale\"><span>rows ÷ mean of the layer</span>".to_owned();
    for level in 0..=EDGES.len() {
        let text = match level {
            0 => format!("below {}", EDGES[0]),
            _ if level == EDGES.len() => format!("above {}", EDGES[level - 1]),
            _ => format!("{}–{}", EDGES[level - 1], EDGES[level]),
        };
        let _ = write!(out, "<span class=\"step\"><i class=\"h{level}\"></i>{text}</span>");
    }
    out + "</p>"
}

fn level(load: f64) -> usize {
    EDGES.iter().filter(|&&edge| load >= edge).count()
}

fn tenths(load: f64) -> char {
    char::from(TENTHS[((load * 10.0).round() as usize).min(TENTHS.len() - 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, layers: Vec<Vec<u32>>) -> StepRecord {
        StepRecord { step, rows_per_expert: Some(layers), ..StepRecord::default() }
    }

    fn maps(steps: &[StepRecord]) -> String {
        heat_maps(steps, "expert", |s| s.rows_per_expert.as_ref())
    }

    #[test]
    fn one_map_per_layer_with_loads_over_the_mean() {
        let html = maps(&[record(1, vec![vec![0, 8], vec![4, 4]]), record(2, vec![vec![4, 4], vec![0, 0]])]);
        assert_eq!(html.matches("<figure").count(), 2);
        // Layer 0: expert 0 has load 0 then 1, expert 1 has 2 then 1. Layer 1 got no rows in step 2.
        assert!(html.contains("data-cells=\"0AKA\""), "{html}");
        assert!(html.contains("data-cells=\"A.A.\""), "{html}");
        assert!(html.contains("<path class=\"h0\" d=\"M0 0h1v1h-1z\"/>"), "{html}");
    }

    #[test]
    fn a_long_run_of_a_large_model_stays_a_small_page() {
        let layers = |step: u64| {
            (0..48)
                .map(|l| (0..128).map(|e| ((step * 7919 + l * 31 + e * 17) % 97) as u32).collect())
                .collect()
        };
        let steps: Vec<_> = (0..500).map(|step| record(step * 100, layers(step))).collect();
        let html = maps(&steps);
        assert!(html.len() < 8_000_000, "{}", html.len());
        assert_eq!(html.matches("<figure").count(), 48);
    }

    #[test]
    fn a_dense_model_is_said_so() {
        assert!(maps(&[StepRecord::default()]).contains("no MoE layer"));
    }
}
