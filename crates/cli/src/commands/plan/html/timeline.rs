//! The step as it was simulated: what every stage does when, and what a rank's lanes do within one layer.

use std::fmt::Write as _;

use collegium_cluster::{Kind, Lane, Layout, Op, Span, Timeline};

use super::COLOURS;

/// Stages that are drawn at most.
const STAGES: usize = 16;
const WIDTH: f64 = 560.0;
const LEFT: f64 = 75.0;
const ROW: f64 = 18.0;

/// Both drawings.
pub fn draw(out: &mut String, timeline: &Timeline, layout: &Layout) -> std::fmt::Result {
    write!(out, "<h3>The step, stage by stage</h3>")?;
    stages(out, timeline, layout)?;
    write!(out, "<h3>One layer on the lanes of a rank</h3>")?;
    for (name, spans) in [("forward", &timeline.forward), ("backward", &timeline.backward)] {
        lanes(out, name, spans)?;
    }
    legend(
        out,
        &[
            ("element-wise", COLOURS[2]),
            ("attention", COLOURS[1]),
            ("products", COLOURS[0]),
            ("experts", COLOURS[6]),
            ("links", COLOURS[4]),
            ("launch, waiting", COLOURS[3]),
        ],
    )
}

fn stages(out: &mut String, timeline: &Timeline, layout: &Layout) -> std::fmt::Result {
    let rows = layout.pipeline.min(STAGES);
    let passes = timeline.ops.iter().map(|o| o.end).fold(0.0, f64::max);
    let end = timeline.loading + passes + timeline.data + timeline.optimizer;
    // Passes begin when the batch is there.
    let x = |seconds: f64| LEFT + WIDTH * (timeline.loading + seconds) / end;
    let height = ROW * rows as f64 + 22.0;
    write!(out, "<svg viewBox=\"0 0 640 {height}\" role=img>")?;
    for stage in 0..rows {
        let y = ROW * stage as f64;
        write!(out, "<text x=0 y={} font-size=11>stage {stage}</text>", y + 13.0)?;
    }
    for op in timeline.ops.iter().filter(|o| o.stage < rows) {
        let (colour, shade) = look(op, layout);
        write!(
            out,
            "<rect x={:.2} y={} width={:.2} height=15 fill={colour} fill-opacity={shade:.2} stroke=#fff stroke-width=.4><title>{} of micro-batch {}{}: {} to {}</title></rect>",
            x(op.start),
            ROW * op.stage as f64 + 2.0,
            (WIDTH * (op.end - op.start) / end).max(0.3),
            name(op.kind),
            op.micro,
            if layout.virtual_stages > 1 { format!(", piece {}", op.piece) } else { String::new() },
            seconds(op.start),
            seconds(op.end)
        )?;
    }
    let (sent, updated) = (passes + timeline.data, passes + timeline.data + timeline.optimizer);
    for (from, to, colour) in
        [(-timeline.loading, 0.0, COLOURS[11]), (passes, sent, COLOURS[8]), (sent, updated, COLOURS[9])]
    {
        let width = WIDTH * (to - from) / end;
        write!(
            out,
            "<rect x={:.2} y=2 width={width:.2} height={} fill={colour} />",
            x(from),
            ROW * rows as f64 - 3.0
        )?;
    }
    write!(
        out,
        "<text x={LEFT} y={0} font-size=11>0</text><text x={1} y={0} font-size=11 text-anchor=end>{2}</text></svg>",
        height - 5.0,
        LEFT + WIDTH,
        seconds(end)
    )?;
    let batch = if timeline.loading > 0.0 { "waiting for the batch" } else { "" };
    let weights = if layout.schedule.splits_backward() { "gradients of weights" } else { "" };
    legend(
        out,
        &[
            (batch, COLOURS[11]),
            ("forward", COLOURS[0]),
            ("backward", COLOURS[4]),
            (weights, COLOURS[2]),
            ("gradients and weights on the way", COLOURS[8]),
            ("update", COLOURS[9]),
        ],
    )?;
    let shown = if rows < layout.pipeline {
        format!("; {rows} of {} stages", layout.pipeline)
    } else {
        String::new()
    };
    write!(
        out,
        "<p class=note>{} schedule; {} of {} micro-batches{shown}. White is waiting.</p>",
        layout.schedule.name(),
        timeline.micro_batches,
        layout.micro_batches
    )
}

/// Colour and depth: pieces, or directions, differ in depth.
fn look(op: &Op, layout: &Layout) -> (&'static str, f64) {
    let colour = match op.kind {
        Kind::Forward => COLOURS[0],
        Kind::Backward => COLOURS[4],
        Kind::Weight => COLOURS[2],
    };
    let pieces = if layout.schedule.copies() > 1.0 { 2 } else { layout.virtual_stages };
    (colour, 1.0 - 0.6 * op.piece as f64 / pieces as f64)
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Forward => "forward",
        Kind::Backward => "backward",
        Kind::Weight => "gradients of weights",
    }
}

fn lanes(out: &mut String, title: &str, spans: &[Span]) -> std::fmt::Result {
    let lanes = [
        (Lane::Engine, "engines"),
        (Lane::Memory, "memory"),
        (Lane::Links, "links"),
        (Lane::Waiting, "waiting"),
    ];
    let end = spans.iter().map(|s| s.end).fold(0.0, f64::max);
    if end <= 0.0 {
        return Ok(());
    }
    let height = ROW * lanes.len() as f64 + 18.0;
    write!(out, "<p>{title}, {}</p><svg viewBox=\"0 0 640 {height}\" role=img>", seconds(end))?;
    for (row, (lane, name)) in lanes.iter().enumerate() {
        let y = ROW * row as f64;
        write!(
            out,
            "<text x=0 y={} font-size=11>{name}</text><path d=\"M{LEFT} {1}H{2}\" stroke=#ccc />",
            y + 13.0,
            y + 17.0,
            LEFT + WIDTH
        )?;
        for span in spans.iter().filter(|s| s.lane == *lane) {
            write!(
                out,
                "<rect x={:.2} y={} width={:.2} height=15 fill={}><title>{}: {}</title></rect>",
                LEFT + WIDTH * span.start / end,
                y + 2.0,
                (WIDTH * (span.end - span.start) / end).max(0.3),
                colour(span),
                span.what,
                seconds(span.end - span.start)
            )?;
        }
    }
    write!(out, "</svg>")
}

fn colour(span: &Span) -> &'static str {
    match (span.lane, span.what) {
        (Lane::Memory, _) => COLOURS[2],
        (Lane::Links, _) => COLOURS[4],
        (Lane::Waiting, _) => COLOURS[3],
        (Lane::Engine, "attention") => COLOURS[1],
        (Lane::Engine, "experts") => COLOURS[6],
        (Lane::Engine, _) => COLOURS[0],
    }
}

fn legend(out: &mut String, entries: &[(&str, &str)]) -> std::fmt::Result {
    write!(out, "<p>")?;
    for (name, colour) in entries.iter().filter(|e| !e.0.is_empty()) {
        write!(out, "<span style=\"color:{colour}\">&#9632;</span>&nbsp;{name} &nbsp;")?;
    }
    write!(out, "</p>")
}

fn seconds(value: f64) -> String {
    match value {
        v if v >= 1.0 => format!("{v:.2} s"),
        v if v >= 1e-3 => format!("{:.2} ms", v * 1e3),
        v => format!("{:.1} us", v * 1e6),
    }
}
