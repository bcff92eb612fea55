//! A line plot. Curves are SVG stretched to the card, labels are ordinary text placed by percentages: so the page can
//! be any width without its text growing or shrinking with it.

use super::{axis::Axis, downsample::downsample, escape};
use crate::units;
use serde::Serialize;
use std::fmt::Write;

/// Buckets a series is reduced to; a card is a few hundred pixels wide.
const BUCKETS: usize = 300;
/// From this many points on a noisy series gets a smoothed line over it.
const SMOOTH_FROM: usize = 80;
/// The SVG's own units from edge to edge.
const EDGE: f64 = 1000.0;

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Stroke {
    Line,
    Faint,
    Smoothed,
    Dotted,
}

struct Series {
    label: String,
    /// Which of the page's colours, from one.
    color: usize,
    stroke: Stroke,
    points: Vec<(f64, f64)>,
}

/// A plot of values over steps.
pub(crate) struct LinePlot {
    title: &'static str,
    unit: &'static str,
    from_zero: bool,
    series: Vec<Series>,
}

impl LinePlot {
    pub(crate) fn new(title: &'static str, unit: &'static str) -> Self {
        LinePlot { title, unit, from_zero: false, series: Vec::new() }
    }

    /// The value axis starts at zero.
    pub(crate) fn starting_at_zero(mut self) -> Self {
        self.from_zero = true;
        self
    }

    /// Adds a smooth curve.
    pub(crate) fn line(mut self, label: &str, points: Vec<(f64, f64)>) -> Self {
        self.add(label, Stroke::Line, points);
        self
    }

    /// Adds a noisy curve: drawn faint under its own moving mean if there is enough of it.
    pub(crate) fn noisy(mut self, label: &str, points: Vec<(f64, f64)>) -> Self {
        if points.len() < SMOOTH_FROM {
            return self.line(label, points);
        }
        let smooth = moving_mean(&points, points.len() / 80);
        let color = self.add(label, Stroke::Faint, points);
        self.series.push(Series {
            label: format!("{label}, smoothed"),
            color,
            stroke: Stroke::Smoothed,
            points: smooth,
        });
        self
    }

    /// Adds a curve with few points, each marked.
    pub(crate) fn dotted(mut self, label: &str, points: Vec<(f64, f64)>) -> Self {
        self.add(label, Stroke::Dotted, points);
        self
    }

    fn add(&mut self, label: &str, stroke: Stroke, points: Vec<(f64, f64)>) -> usize {
        let color = self.series.last().map_or(1, |s| s.color + 1);
        if !points.is_empty() {
            self.series.push(Series { label: label.to_owned(), color, stroke, points });
        }
        color
    }

    /// The plot as a card; says so if nothing was recorded.
    pub(crate) fn html(self) -> String {
        let title = escape(self.title);
        let all = || self.series.iter().flat_map(|s| s.points.iter().copied());
        let finite = || all().filter(|p| p.1.is_finite());
        if finite().next().is_none() {
            let reason =
                if all().next().is_none() { "Not recorded." } else { "No finite value was recorded." };
            return format!(
                "<figure class=\"card\"><figcaption><b>{title}</b></figcaption><p class=\"empty\">{reason}</p></figure>"
            );
        }
        let steps = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.0), b.max(p.0)));
        let x = Axis::steps(steps.0, steps.1);
        let y = if self.from_zero {
            Axis::from_zero(finite().map(|p| p.1))
        } else {
            Axis::values(finite().map(|p| p.1))
        };
        let measured = self.series.iter().filter(|s| s.stroke != Stroke::Smoothed).flat_map(|s| &s.points);
        let missing: Vec<f64> = measured.filter(|p| !p.1.is_finite()).map(|p| p.0).collect();

        let drawn: Vec<Drawn> = self.series.iter().map(|s| Drawn::new(s, &x, &y)).collect();
        let unit = format!("{}{}", self.unit, if y.is_logarithmic() { ", log scale" } else { "" });
        let mut out = format!(
            "<figure class=\"card\"><figcaption><b>{title}</b> <span>{}</span>{}</figcaption>",
            escape(&unit),
            self.legend()
        );
        let _ = write!(
            out,
            "<div class=\"plot\" data-low=\"{}\" data-high=\"{}\" data-series=\"{}\">",
            x.low(),
            x.high(),
            escape(&hover_data(&drawn))
        );
        out += &y_labels(&y);
        out += &format!("<div class=\"area\">{}</div>", svg(&drawn, &x, &y));
        out += &x_labels(&x);
        out += "</div>";
        out += &missing_note(&missing);
        out + "</figure>"
    }

    fn legend(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let entry = |s: &Series| format!("<i class=\"{}\"></i>{}", s.class("key"), escape(&s.label));
        format!(
            "<span class=\"legend\">{}</span>",
            self.series.iter().map(entry).collect::<Vec<_>>().join(" ")
        )
    }
}

impl Series {
    fn class(&self, what: &str) -> String {
        let faint = if self.stroke == Stroke::Faint { " faint" } else { "" };
        format!("{what} c{}{faint}", self.color)
    }
}

/// A series reduced to what is drawn.
struct Drawn {
    class: String,
    label: String,
    points: Vec<(f64, f64)>,
    path: String,
    dots: String,
}

impl Drawn {
    fn new(series: &Series, x: &Axis, y: &Axis) -> Drawn {
        let points = downsample(&series.points, BUCKETS);
        let marked = series.stroke == Stroke::Dotted;
        let (mut path, mut dots) = (String::new(), String::new());
        for run in points.split(|p| !p.1.is_finite()) {
            let place = |&(step, value): &(f64, f64)| {
                format!("{:.1} {:.1}", x.fraction(step) * EDGE, (1.0 - y.fraction(value)) * EDGE)
            };
            let places: Vec<String> = run.iter().map(place).collect();
            if places.len() > 1 {
                path += &format!("M{}", places.join("L"));
            }
            // A dot is a line of no length with round caps; a lone point would be no line at all.
            if marked || places.len() == 1 {
                dots.extend(places.iter().map(|place| format!("M{place}h0")));
            }
        }
        Drawn { class: series.class("line"), label: series.label.clone(), points, path, dots }
    }
}

fn svg(drawn: &[Drawn], x: &Axis, y: &Axis) -> String {
    let mut out =
        format!("<svg viewBox=\"0 0 {EDGE} {EDGE}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let across = y.ticks().map(|(f, _)| format!("M0 {:.1}H{EDGE}", (1.0 - f) * EDGE));
    let up = x.ticks().map(|(f, _)| format!("M{:.1} 0V{EDGE}", f * EDGE));
    let _ = write!(out, "<path class=\"grid\" d=\"{}\"/>", across.chain(up).collect::<String>());
    for Drawn { class, path, dots, .. } in drawn {
        let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
        if !dots.is_empty() {
            let _ = write!(out, "<path class=\"{class} dots\" d=\"{dots}\"/>");
        }
    }
    out + "</svg>"
}

fn y_labels(y: &Axis) -> String {
    let label = |(f, text): (f64, String)| format!("<span style=\"bottom:{:.2}%\">{text}</span>", f * 100.0);
    format!("<div class=\"ylabels\">{}</div>", y.ticks().map(label).collect::<String>())
}

fn x_labels(x: &Axis) -> String {
    let label = |(f, text): (f64, String)| format!("<span style=\"left:{:.2}%\">{text}</span>", f * 100.0);
    format!(
        "<div class=\"xlabels\">{}</div><div class=\"xtitle\">step</div>",
        x.ticks().map(label).collect::<String>()
    )
}

/// What the tooltip reads.
#[derive(Serialize)]
struct Hover<'a> {
    label: &'a str,
    class: &'a str,
    steps: Vec<f64>,
    texts: Vec<String>,
}

fn hover_data(drawn: &[Drawn]) -> String {
    let series = drawn.iter().map(|s| Hover {
        label: &s.label,
        class: &s.class,
        steps: s.points.iter().map(|p| p.0).collect(),
        texts: s
            .points
            .iter()
            .map(|p| if p.1 >= 1e4 { units::count(p.1) } else { units::significant(p.1) })
            .collect(),
    });
    serde_json::to_string(&series.collect::<Vec<_>>()).expect("strings and finite numbers are JSON")
}

fn missing_note(steps: &[f64]) -> String {
    let text = match steps {
        [] => return String::new(),
        [step] => format!("1 value is not drawn because it is not finite, at step {step}."),
        [first, ..] => {
            format!(
                "{} values are not drawn because they are not finite, first at step {first}.",
                steps.len()
            )
        }
    };
    format!("<p class=\"warn\">{text}</p>")
}

/// The mean of the finite values at most `reach` points away.
fn moving_mean(points: &[(f64, f64)], reach: usize) -> Vec<(f64, f64)> {
    let mut sums = Vec::with_capacity(points.len() + 1);
    sums.push((0.0, 0u32));
    for &(_, value) in points {
        let &(sum, count) = sums.last().expect("it starts with one entry");
        sums.push(if value.is_finite() { (sum + value, count + 1) } else { (sum, count) });
    }
    let at = |i: usize| {
        if !points[i].1.is_finite() {
            return f64::NAN;
        }
        let (from, to) = (sums[i.saturating_sub(reach)], sums[(i + reach + 1).min(points.len())]);
        (to.0 - from.0) / f64::from(to.1 - from.1)
    };
    (0..points.len()).map(|i| (points[i].0, at(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moving_mean_is_centred_and_skips_gaps() {
        let points: Vec<_> =
            [1.0, 2.0, f64::NAN, 6.0].into_iter().enumerate().map(|(i, v)| (i as f64, v)).collect();
        let mean: Vec<f64> = moving_mean(&points, 1).into_iter().map(|p| p.1).collect();
        assert_eq!(mean[..2], [1.5, 1.5]);
        assert!(mean[2].is_nan());
        assert_eq!(mean[3], 6.0);
    }

    #[test]
    fn values_that_are_no_number_break_the_line_and_are_told() {
        let html =
            LinePlot::new("Loss", "nats").line("train", vec![(1.0, 1.0), (2.0, f64::NAN), (3.0, 2.0)]).html();
        assert!(html.contains("1 value is not drawn because it is not finite, at step 2"), "{html}");
        assert!(html.contains("M0.0 1000.0h0M1000.0 0.0h0"), "{html}");
        let html = LinePlot::new("Loss", "nats").line("train", vec![(1.0, f64::NAN)]).html();
        assert!(html.contains("No finite value was recorded."), "{html}");
        assert!(LinePlot::new("Loss", "nats").line("train", vec![]).html().contains("Not recorded."));
    }
}
