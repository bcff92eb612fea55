//! Small multiples: one line plot after the other, as a picture (.svg) or a page (.html) that needs nothing but itself.

use std::{fmt::Write, path::Path};

use crate::{
    ReportError, atomic,
    html::{axis::Axis, escape},
};

/// One plot.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// A name and the values at 0, 1, 2 and so on.
    pub series: Vec<(String, Vec<f64>)>,
}

const COLORS: [&str; 9] =
    ["#7b8794", "#2463c4", "#d5650c", "#1b8a5c", "#8a5cc2", "#c23a6b", "#0e8fa6", "#a88a10", "#19212c"];
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 220.0;
/// Room for titles, ticks and names around a plot.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 92.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 26.0;
const COLUMNS: usize = 2;

/// Writes the panels to a file, whole or not at all.
///
/// # Errors
/// An extension other than .svg and .html, or a file that cannot be written.
pub fn write_panels(path: &Path, title: &str, panels: &[Panel]) -> Result<(), ReportError> {
    let picture = svg(title, panels);
    let text = match path.extension().and_then(|e| e.to_str()) {
        Some("svg") => picture,
        Some("html") => format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head><body>{picture}</body></html>\n",
            escape(title)
        ),
        _ => return Err(ReportError::PlotExtension { path: path.to_owned() }),
    };
    atomic::write(path, text.as_bytes())
}

fn svg(title: &str, panels: &[Panel]) -> String {
    let (full_width, full_height) = (WIDTH + LEFT + RIGHT, HEIGHT + TOP + BOTTOM);
    let columns = panels.len().clamp(1, COLUMNS);
    let rows = panels.len().div_ceil(columns);
    let (width, height) = (columns as f64 * full_width, 34.0 + rows as f64 * full_height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"600\">{}</text>",
        escape(title)
    );
    for (i, panel) in panels.iter().enumerate() {
        let (x, y) =
            ((i % columns) as f64 * full_width + LEFT, 34.0 + (i / columns) as f64 * full_height + TOP);
        let _ = write!(out, "<g transform=\"translate({x} {y})\">{}</g>", plot(panel));
    }
    out + "</svg>\n"
}

fn plot(panel: &Panel) -> String {
    let longest = panel.series.iter().map(|s| s.1.len()).max().unwrap_or(0);
    let x = Axis::steps(0.0, longest.saturating_sub(1) as f64);
    let y = Axis::values(panel.series.iter().flat_map(|s| s.1.iter().copied()));
    let mut out = format!("<text y=\"-10\" font-weight=\"600\">{}</text>", escape(&panel.title));
    for (at, text) in y.ticks() {
        let y = (1.0 - at) * HEIGHT;
        let _ = write!(
            out,
            "<path d=\"M0 {y:.1}H{WIDTH}\" stroke=\"#e3e7ec\"/><text x=\"-6\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            y + 4.0
        );
    }
    for (at, text) in x.ticks() {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
            at * WIDTH,
            HEIGHT + 16.0
        );
    }
    for (i, (name, values)) in panel.series.iter().enumerate() {
        let color = COLORS[i % COLORS.len()];
        let place = |(step, value): (usize, &f64)| {
            format!("{:.1} {:.1}", x.fraction(step as f64) * WIDTH, (1.0 - y.fraction(*value)) * HEIGHT)
        };
        let path: Vec<String> = values.iter().enumerate().map(place).collect();
        // A single value is a dot: a line of no length with round caps.
        let end = if path.len() == 1 { "h0" } else { "" };
        let _ = write!(
            out,
            "<path d=\"M{}{end}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" stroke-linecap=\"round\"/>\
             <text x=\"{}\" y=\"{:.1}\" fill=\"{color}\">{}</text>",
            path.join("L"),
            WIDTH + 8.0,
            10.0 + i as f64 * 15.0,
            escape(name)
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_written_whole_and_names_are_escaped() {
        let folder = tempfile::tempdir().unwrap();
        let panel = Panel { title: "a < b".into(), series: vec![("x & y".into(), vec![1.0, 2.5, 1.5])] };
        let (svg, html) = (folder.path().join("p.svg"), folder.path().join("p.html"));
        write_panels(&svg, "plot", std::slice::from_ref(&panel)).unwrap();
        write_panels(&html, "plot", &[panel.clone(), panel.clone()]).unwrap();
        let picture = std::fs::read_to_string(&svg).unwrap();
        assert!(picture.starts_with("<svg") && picture.contains("a &lt; b") && picture.contains("x &amp; y"));
        let page = std::fs::read_to_string(&html).unwrap();
        assert_eq!(page.matches("<g transform").count(), 2);
        let error = write_panels(&folder.path().join("p.png"), "plot", &[panel]).unwrap_err().to_string();
        assert!(error.contains(".svg or .html"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
