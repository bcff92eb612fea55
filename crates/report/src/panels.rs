//! Small multiples: one line plot or scatter after the other, as a picture (.svg) or a page (.html) that needs nothing but itself.

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

/// Points and lines over logarithmic axes: powers are straight.
#[derive(Clone, Debug)]
pub struct Scatter {
    /// What stands above it.
    pub title: String,
    /// What is below the axis.
    pub x: String,
    /// A name and its points.
    pub points: Vec<(String, Vec<(f64, f64)>)>,
    /// A name and what the points are held against, drawn as a line.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

const COLORS: [&str; 12] = [
    "#7b8794", "#2463c4", "#d5650c", "#1b8a5c", "#8a5cc2", "#c23a6b", "#0e8fa6", "#a88a10", "#19212c",
    "#8c4a2f", "#6fae2d", "#e08bb0",
];
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
    write_picture(path, title, &svg(title, &panels.iter().map(plot).collect::<Vec<_>>()))
}

/// The same of scatters.
///
/// # Errors
/// As [`write_panels`].
pub fn write_scatters(path: &Path, title: &str, scatters: &[Scatter]) -> Result<(), ReportError> {
    write_picture(path, title, &svg(title, &scatters.iter().map(scatter).collect::<Vec<_>>()))
}

fn write_picture(path: &Path, title: &str, picture: &str) -> Result<(), ReportError> {
    let text = match path.extension().and_then(|e| e.to_str()) {
        Some("svg") => picture.to_owned(),
        Some("html") => format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head><body>{picture}</body></html>\n",
            escape(title)
        ),
        _ => return Err(ReportError::PlotExtension { path: path.to_owned() }),
    };
    atomic::write(path, text.as_bytes())
}

fn svg(title: &str, plots: &[String]) -> String {
    let (full_width, full_height) = (WIDTH + LEFT + RIGHT, HEIGHT + TOP + BOTTOM);
    let columns = plots.len().clamp(1, COLUMNS);
    let rows = plots.len().div_ceil(columns);
    let (width, height) = (columns as f64 * full_width, 34.0 + rows as f64 * full_height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"600\">{}</text>",
        escape(title)
    );
    for (i, plot) in plots.iter().enumerate() {
        let (x, y) =
            ((i % columns) as f64 * full_width + LEFT, 34.0 + (i / columns) as f64 * full_height + TOP);
        let _ = write!(out, "<g transform=\"translate({x} {y})\">{plot}</g>");
    }
    out + "</svg>\n"
}

/// Title, lines of the vertical axis and ticks of both.
fn frame(title: &str, x: &Axis, y: &Axis) -> String {
    let mut out = format!("<text y=\"-10\" font-weight=\"600\">{}</text>", escape(title));
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
    out
}

fn label(i: usize, color: &str, name: &str) -> String {
    format!(
        "<text x=\"{}\" y=\"{:.1}\" fill=\"{color}\">{}</text>",
        WIDTH + 8.0,
        10.0 + i as f64 * 15.0,
        escape(name)
    )
}

fn plot(panel: &Panel) -> String {
    let longest = panel.series.iter().map(|s| s.1.len()).max().unwrap_or(0);
    let x = Axis::steps(0.0, longest.saturating_sub(1) as f64);
    let y = Axis::values(panel.series.iter().flat_map(|s| s.1.iter().copied()));
    let mut out = frame(&panel.title, &x, &y);
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
            "<path d=\"M{}{end}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" stroke-linecap=\"round\"/>{}",
            path.join("L"),
            label(i, color, name)
        );
    }
    out
}

fn scatter(scatter: &Scatter) -> String {
    let all = || scatter.points.iter().chain(&scatter.lines).flat_map(|s| s.1.iter().copied());
    let x = Axis::decades(all().map(|p| p.0));
    let y = Axis::decades(all().map(|p| p.1));
    let mut out = frame(&scatter.title, &x, &y);
    let place = |p: &(f64, f64)| (x.fraction(p.0) * WIDTH, (1.0 - y.fraction(p.1)) * HEIGHT);
    let _ = write!(
        out,
        "<text x=\"{}\" y=\"{}\" fill=\"#7b8794\">{}</text>",
        WIDTH + 8.0,
        HEIGHT + 16.0,
        escape(&scatter.x)
    );
    for (i, (name, points)) in scatter.lines.iter().enumerate() {
        let color = COLORS[i % COLORS.len()];
        let path: Vec<String> = points.iter().map(place).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let _ = write!(
            out,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-dasharray=\"5 4\"/>{}",
            path.join("L"),
            label(i, color, name)
        );
    }
    for (i, (name, points)) in scatter.points.iter().enumerate() {
        let i = i + scatter.lines.len();
        let color = COLORS[i % COLORS.len()];
        for (x, y) in points.iter().map(place) {
            let _ = write!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\" fill-opacity=\"0.7\"/>"
            );
        }
        out.push_str(&label(i, color, name));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_where_a_logarithmic_axis_puts_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.svg");
        let points = vec![("runs".to_string(), vec![(1e10, 1.0), (1e11, 2.0), (1e12, 3.0)])];
        let one = Scatter { title: "t".into(), x: "FLOPs".into(), points, lines: Vec::new() };
        write_scatters(&file, "s", &[one]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let at: Vec<f64> =
            text.split("cx=\"").skip(1).map(|t| t.split('"').next().unwrap().parse().unwrap()).collect();
        assert!(((at[1] - at[0]) - (at[2] - at[1])).abs() < 0.2, "decades are as wide as each other: {at:?}");
    }

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
