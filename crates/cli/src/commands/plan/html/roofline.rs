//! Programs under the roofs of their device: FLOPs a byte of memory against FLOP/s, both logarithmic.

use std::fmt::Write as _;

use collegium_cluster::Roofline;

use super::COLOURS;

const LEFT: f64 = 90.0;
const WIDTH: f64 = 370.0;
const TOP: f64 = 10.0;
const HEIGHT: f64 = 240.0;

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// Whole decades around the values.
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::INFINITY, 0.0f64), |s, v| (s.0.min(v), s.1.max(v)));
        Self { low: low.log10().floor(), high: (high.log10() + 0.05).ceil() }
    }

    fn fraction(&self, value: f64) -> f64 {
        (value.log10() - self.low) / (self.high - self.low)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|d| 10f64.powi(d))
    }
}

/// The drawing and its legend.
pub fn draw(out: &mut String, roofline: &Roofline) -> std::fmt::Result {
    let points: Vec<(&str, f64, f64)> =
        roofline.programs.iter().map(|p| (p.program, p.flops / p.bytes, p.flops / p.seconds)).collect();
    let most = roofline.peaks.iter().map(|p| p.1).fold(0.0, f64::max);
    let knee = most / roofline.bandwidth;
    let x = Axis::over(points.iter().map(|p| p.1).chain([1.0, knee * 2.0]));
    let y = Axis::over(points.iter().map(|p| p.2).chain([most]));
    let place = |a: f64, b: f64| (LEFT + WIDTH * x.fraction(a), TOP + HEIGHT * (1.0 - y.fraction(b)));
    write!(
        out,
        "<h3>Programs of a micro-batch under the roof</h3><svg viewBox=\"0 0 640 {}\" role=img>",
        TOP + HEIGHT + 40.0
    )?;
    axes(out, &x, &y)?;
    // Where memory is the roof, from the left edge or the floor up to the highest peak.
    let start = 10f64.powf(x.low).max(10f64.powf(y.low) / roofline.bandwidth);
    let ((x0, y0), (x1, y1)) = (place(start, start * roofline.bandwidth), place(knee, most));
    write!(out, "<path d=\"M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}\" stroke=#888 stroke-width=1.5 fill=none />")?;
    for (name, peak) in &roofline.peaks {
        let (from, at) = place(peak / roofline.bandwidth, *peak);
        write!(
            out,
            "<path d=\"M{from:.1} {at:.1}H{0}\" stroke=#888 stroke-width=1.5 fill=none /><text x={1} y={2:.1} font-size=11>{name} {3:.0} TFLOP/s</text>",
            LEFT + WIDTH,
            LEFT + WIDTH + 6.0,
            at + 4.0,
            peak / 1e12
        )?;
    }
    for (i, (name, intensity, rate)) in points.iter().enumerate() {
        let (cx, cy) = place(*intensity, *rate);
        write!(
            out,
            "<circle cx={cx:.1} cy={cy:.1} r=5 fill={}><title>{name}: {intensity:.0} FLOPs a byte, {:.1} TFLOP/s</title></circle>",
            COLOURS[i % COLOURS.len()],
            rate / 1e12
        )?;
    }
    write!(out, "</svg><p>")?;
    for (i, (name, intensity, rate)) in points.iter().enumerate() {
        write!(
            out,
            "<span style=\"color:{}\">&#9679;</span> {name}: {intensity:.0} FLOPs a byte, {:.1} TFLOP/s &nbsp; ",
            COLOURS[i % COLOURS.len()],
            rate / 1e12
        )?;
    }
    write!(
        out,
        "</p><p class=note>Of one rank, without collectives; the slope is {:.2} TB/s of memory.</p>",
        roofline.bandwidth / 1e12
    )
}

fn axes(out: &mut String, x: &Axis, y: &Axis) -> std::fmt::Result {
    for tick in x.decades() {
        let at = LEFT + WIDTH * x.fraction(tick);
        write!(
            out,
            "<path d=\"M{at:.1} {TOP}v{HEIGHT}\" stroke=#ddd /><text x={at:.1} y={} font-size=11 text-anchor=middle>{tick}</text>",
            TOP + HEIGHT + 15.0
        )?;
    }
    for tick in y.decades() {
        let at = TOP + HEIGHT * (1.0 - y.fraction(tick));
        write!(
            out,
            "<path d=\"M{LEFT} {at:.1}h{WIDTH}\" stroke=#ddd /><text x={} y={:.1} font-size=11 text-anchor=end>{}</text>",
            LEFT - 5.0,
            at + 4.0,
            rate(tick)
        )?;
    }
    write!(
        out,
        "<text x={} y={} font-size=11 text-anchor=middle>FLOPs a byte</text>",
        LEFT + WIDTH / 2.0,
        TOP + HEIGHT + 32.0
    )
}

fn rate(value: f64) -> String {
    let units = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")];
    let (scale, unit) = units.into_iter().find(|u| value >= u.0 * 0.999).unwrap_or((1.0, ""));
    format!("{:.0} {unit}FLOP/s", value / scale)
}
