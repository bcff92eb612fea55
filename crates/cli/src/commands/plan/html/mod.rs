//! A plan as one page without scripts or links: comparison, where the step goes, the step as it happens, memory, who holds what, programs under
//! their roof, time against cost.

mod roofline;
mod timeline;

use std::fmt::Write as _;
use std::path::Path;

use collegium_checkpoint::write_file;
use collegium_cluster::{Answer, Choice};

use crate::commands::plan::ask::{Plan, checkpoint_line, layout_line};

const COLOURS: [&str; 12] = [
    "#3366aa", "#66aadd", "#99bb55", "#bbbbbb", "#dd8833", "#cc4444", "#aa66aa", "#eecc44", "#338877",
    "#775533", "#555555", "#bb3377",
];
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}\
    table{border-collapse:collapse}td,th{padding:.2em .8em .2em 0;text-align:left;vertical-align:top}th{border-bottom:1px solid #999}\
    svg{max-width:100%}.note{color:#666}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}svg text{fill:#ddd}}";

/// Writes the page; the file is there whole or not at all.
pub fn write(file: &Path, plan: &Plan) -> anyhow::Result<()> {
    Ok(write_file(file, page(plan)?.as_bytes())?)
}

fn page(plan: &Plan) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let model = escape(&plan.model);
    write!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Plan for {model}</title><style>{STYLE}</style><h1>Plan for {model}</h1>\
         <p>{:.2} B parameters, {:.2} GFLOP a token; {:.3e} tokens in sequences of {}.</p>",
        plan.parameters / 1e9,
        plan.flops_per_token / 1e9,
        plan.tokens,
        plan.seq
    )?;
    comparison(&mut out, plan)?;
    front(&mut out, plan)?;
    for answer in &plan.answers {
        section(&mut out, answer)?;
    }
    write!(
        out,
        "<p class=note>Predicted, not measured; the bands are made for eight of ten published measurements; docs/planning.md says what they cover.</p></html>"
    )?;
    Ok(out)
}

fn comparison(out: &mut String, plan: &Plan) -> std::fmt::Result {
    write!(
        out,
        "<h2>Clusters</h2><table><tr><th>cluster<th>step, s<th>tokens/s<th>MFU, %<th>days<th>$<th>$ / M tokens<th>J / token</tr>"
    )?;
    let known = |v: Option<f64>, digits: usize| v.map_or("unknown".to_string(), |v| format!("{v:.digits$}"));
    for answer in &plan.answers {
        let name = escape(&answer.cluster);
        match answer.choices.first() {
            None => {
                let why = escape(answer.impossible.as_deref().unwrap_or("no plan"));
                write!(out, "<tr><td>{name}<td colspan=7>{why}</tr>")?;
            }
            Some(c) => write!(
                out,
                "<tr><td>{name}<td>{:.3} &plusmn; {:.0} %<td>{:.0}<td>{:.1}<td>{:.1}<td>{}<td>{}<td>{}</tr>",
                c.candidate.estimate.step,
                answer.band,
                c.tokens_per_second,
                c.mfu,
                c.days,
                known(c.usd, 0),
                known(c.usd_per_million_tokens, 3),
                known(c.joules_per_token, 3)
            )?,
        }
    }
    write!(out, "</table>")
}

/// Days against dollars of all clusters; those that no other beats in both are filled.
fn front(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let points: Vec<(&str, f64, f64)> = plan
        .answers
        .iter()
        .filter_map(|a| a.choices.first().and_then(|c| c.usd.map(|u| (a.cluster.as_str(), c.days, u))))
        .collect();
    if points.len() < 2 {
        return Ok(());
    }
    let most = |f: &dyn Fn(&(&str, f64, f64)) -> f64| points.iter().map(f).fold(0.0, f64::max) * 1.15;
    let (days, usd) = (most(&|p| p.1), most(&|p| p.2));
    write!(
        out,
        "<h2>Time against cost</h2><svg viewBox=\"0 0 640 300\" role=img><path d=\"M60 10V260H630\" fill=none stroke=#888 />"
    )?;
    write!(
        out,
        "<text x=630 y=285 text-anchor=end font-size=12>{days:.0} days</text><text x=4 y=16 font-size=12>{usd:.0} $</text>"
    )?;
    for (name, d, u) in &points {
        let beaten = points.iter().any(|o| o.1 <= *d && o.2 <= *u && (o.1, o.2) != (*d, *u));
        let (x, y) = (60.0 + 560.0 * d / days, 260.0 - 250.0 * u / usd);
        let fill = if beaten { "none" } else { COLOURS[0] };
        let name = escape(name);
        // Names stay inside.
        let (anchor, beside) = if x > 400.0 { ("end", -8.0) } else { ("start", 8.0) };
        write!(
            out,
            "<circle cx={x:.1} cy={y:.1} r=5 fill={fill} stroke={} /><text x={:.1} y={:.1} font-size=11 text-anchor={anchor}>{name}</text>",
            COLOURS[0],
            x + beside,
            y + 4.0
        )?;
    }
    write!(out, "</svg><p class=note>Filled: no other is both faster and cheaper.</p>")
}

fn section(out: &mut String, answer: &Answer) -> std::fmt::Result {
    let Some(c) = answer.choices.first() else { return Ok(()) };
    write!(
        out,
        "<h2>{}</h2><p>{} ranks: {}</p>",
        escape(&answer.cluster),
        answer.ranks,
        escape(&layout_line(c))
    )?;
    let e = &c.candidate.estimate;
    write!(out, "<h3>A step of {:.3} s</h3>", e.step)?;
    let parts: Vec<(&str, f64)> = e.parts.named().to_vec();
    bar(out, &parts, e.step, "s", 1.0)?;
    if let Some(drawn) = &answer.timeline {
        timeline::draw(out, drawn, &c.candidate.layout)?;
    }
    write!(out, "<h3>Memory of a rank, of {:.1} GB: {}</h3>", answer.memory_limit / 1e9, c.fit.name())?;
    let m = &e.memory;
    let memory = [
        ("weights", m.weights),
        ("gradients", m.gradients),
        ("optimizer", m.optimizer),
        ("activations", m.activations),
        ("transient", m.transient),
    ];
    bar(out, &memory, answer.memory_limit.max(m.total()), "GB", 1e9)?;
    if m.host > 0.0 {
        write!(out, "<p>In host memory: {:.1} GB of masters and moments.</p>", m.host / 1e9)?;
    }
    if let Some(checkpoints) = &c.checkpoints {
        write!(out, "<p>Checkpoints: {}.</p>", checkpoint_line(checkpoints))?;
    }
    ranks(out, c)?;
    if let Some(drawn) = &answer.roofline {
        roofline::draw(out, drawn)?;
    }
    write!(out, "<h3>Next best</h3><table><tr><th>step, s<th>layout</tr>")?;
    for next in answer.choices.iter().skip(1) {
        write!(out, "<tr><td>{:.3}<td>{}</tr>", next.candidate.estimate.step, escape(&layout_line(next)))?;
    }
    write!(out, "</table>")?;
    if !c.not_trainable.is_empty() {
        write!(
            out,
            "<p><code>collegium train</code> cannot run this yet: {}.</p>",
            c.not_trainable.join(", ")
        )?;
    }
    answer.unknown.iter().try_for_each(|u| write!(out, "<p class=note>{}</p>", escape(u)))
}

/// Parts side by side, of `whole`, with a legend in `unit`s of `size`.
fn bar(out: &mut String, parts: &[(&str, f64)], whole: f64, unit: &str, size: f64) -> std::fmt::Result {
    write!(out, "<svg viewBox=\"0 0 640 34\" role=img><rect width=640 height=28 fill=none stroke=#888 />")?;
    let mut at = 0.0;
    for (i, (_, value)) in parts.iter().enumerate() {
        let width = 640.0 * value / whole;
        write!(out, "<rect x={at:.1} width={width:.1} height=28 fill={} />", COLOURS[i % COLOURS.len()])?;
        at += width;
    }
    write!(out, "</svg><p>")?;
    for (i, (name, value)) in parts.iter().enumerate().filter(|p| p.1.1 > 0.002 * whole) {
        let colour = COLOURS[i % COLOURS.len()];
        write!(
            out,
            "<span style=\"color:{colour}\">&#9632;</span>&nbsp;{name} {:.2} {unit} &nbsp;",
            value / size
        )?;
    }
    write!(out, "</p>")
}

/// Stages in rows, the ranks of one stage in order: tensor first, then context, then data.
fn ranks(out: &mut String, c: &Choice) -> std::fmt::Result {
    let l = &c.candidate.layout;
    let shown = l.stage_ranks().min(64);
    let rows = l.pipeline.min(16);
    write!(out, "<h3>Who holds what</h3><svg viewBox=\"0 0 640 {}\" role=img>", 16 * rows + 4)?;
    let width = 560.0 / shown as f64;
    for stage in 0..rows {
        write!(out, "<text x=0 y={} font-size=11>stage {stage}</text>", 16 * stage + 12)?;
        for rank in 0..shown {
            let colour = COLOURS[(rank / l.expert_tensor % l.expert) % COLOURS.len()];
            let x = 70.0 + width * rank as f64;
            write!(
                out,
                "<rect x={x:.1} y={} width={:.1} height=13 fill={colour} />",
                16 * stage + 2,
                (width - 1.0).max(0.5)
            )?;
        }
    }
    let more = if shown < l.stage_ranks() || rows < l.pipeline { " (the first of them)" } else { "" };
    let several = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let shared = |n: usize, what: &str| match n {
        1 => String::new(),
        n => format!(" Each group of {n} neighbours shares {what}."),
    };
    let experts = match l.expert {
        1 => String::new(),
        n if n <= COLOURS.len() => " Ranks of one colour hold the same experts.".into(),
        n => format!(" The {n} shares of the experts go through {} colours again and again.", COLOURS.len()),
    };
    write!(
        out,
        "</svg><p class=note>{} of {}{more}.{experts}{}{}</p>",
        several(l.pipeline, "stage"),
        several(l.stage_ranks(), "rank"),
        shared(l.tensor, "a layer's heads"),
        shared(l.expert_tensor, "an expert")
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
