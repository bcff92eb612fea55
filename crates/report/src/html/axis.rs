//! An axis: its range, its scale and where its ticks go. Ticks are 1, 2 or 5 times a power of ten.

use crate::units;

/// A numeric axis that covers its data with a little air.
pub(crate) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// The axis of optimizer steps from `first` to `last`.
    pub(crate) fn steps(first: f64, last: f64) -> Axis {
        if first >= last {
            return Axis { low: first - 1.0, high: first + 1.0, logarithmic: false, ticks: vec![first] };
        }
        let spacing = nice_spacing((last - first) / 5.0).max(1.0);
        Axis { low: first, high: last, logarithmic: false, ticks: multiples(first, last, spacing) }
    }

    /// An axis for values; logarithmic where they are positive and span more than a factor of fifty.
    pub(crate) fn values(values: impl Iterator<Item = f64>) -> Axis {
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            return Axis::linear(0.0, 1.0);
        }
        if low > 0.0 && high / low > 50.0 { Axis::logarithmic(low, high) } else { Axis::linear(low, high) }
    }

    /// An axis for values whose zero matters (rates): always linear, from zero on.
    pub(crate) fn from_zero(values: impl Iterator<Item = f64>) -> Axis {
        Axis::linear(0.0, values.filter(|v| v.is_finite()).fold(0.0, f64::max))
    }

    /// A logarithmic axis for values above zero, whatever they span.
    pub(crate) fn decades(values: impl Iterator<Item = f64>) -> Axis {
        let (low, high) = values
            .filter(|v| v.is_finite() && *v > 0.0)
            .fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
        if low > high { Axis::linear(0.0, 1.0) } else { Axis::logarithmic(low, high) }
    }

    fn linear(low: f64, high: f64) -> Axis {
        // Room around a single value, so that it lies in the middle.
        let room = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
        let (low, high) = if high > low { (low, high) } else { (low - room, high + room) };
        let spacing = nice_spacing((high - low) / 4.0);
        let (low, high) = ((low / spacing).floor() * spacing, (high / spacing).ceil() * spacing);
        Axis { low, high, logarithmic: false, ticks: multiples(low, high, spacing) }
    }

    fn logarithmic(low: f64, high: f64) -> Axis {
        let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
        let stride = decades.clone().count().div_ceil(6);
        let factors: &[f64] = if decades.clone().count() <= 4 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks = decades.step_by(stride).flat_map(|d| factors.iter().map(move |f| f * 10f64.powi(d)));
        let (low, high) = (low / 1.1, high * 1.1);
        Axis { low, high, logarithmic: true, ticks: ticks.filter(|t| (low..=high).contains(t)).collect() }
    }

    /// Where `value` lies, 0 at the low end and 1 at the high one.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.logarithmic { v.log10() } else { v };
        (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
    }

    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    pub(crate) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Ticks as (fraction, label).
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        self.ticks.iter().map(|&tick| (self.fraction(tick), self.label(tick)))
    }

    /// Ticks as (value, label).
    pub(crate) fn tick_values(&self) -> impl Iterator<Item = (f64, String)> {
        self.ticks.iter().map(|&tick| (tick, self.label(tick)))
    }

    fn label(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        if tick == 0.0 {
            return "0".to_owned();
        }
        if self.logarithmic && tick >= 1e12 {
            return format!("{tick:.0e}");
        }
        if largest >= 10_000.0 && !self.logarithmic || tick.abs() >= 10_000.0 {
            return trim_zeros(&units::count(tick));
        }
        if largest < 0.02 || self.logarithmic && tick < 0.01 {
            return format!("{tick:.1e}").replace(".0e", "e");
        }
        trim_zeros(&format!("{tick:.3}"))
    }
}

/// `1.50k` as `1.5k`, `2.000` as `2`.
fn trim_zeros(label: &str) -> String {
    let digits = label.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &label[digits.len()..];
    let short =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    format!("{short}{suffix}")
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `wanted`.
fn nice_spacing(wanted: f64) -> f64 {
    let power = 10f64.powf(wanted.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= wanted * 0.999_999);
    factor.unwrap_or(10.0) * power
}

fn multiples(low: f64, high: f64, spacing: f64) -> Vec<f64> {
    let first = (low / spacing - 1e-9).ceil();
    let count = ((high / spacing + 1e-9).floor() - first) as usize;
    (0..=count).map(|i| (first + i as f64) * spacing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_nice_numbers() {
        assert_eq!(labels(&Axis::values([1.83, 4.21].into_iter())), ["1", "2", "3", "4", "5"]);
        assert_eq!(labels(&Axis::values([0.0, 3e-4].into_iter())), ["0", "1e-4", "2e-4", "3e-4"]);
        assert_eq!(labels(&Axis::steps(1.0, 2000.0)), ["500", "1000", "1500", "2000"]);
        assert_eq!(labels(&Axis::steps(1.0, 100_000.0)), ["20k", "40k", "60k", "80k", "100k"]);
        assert_eq!(labels(&Axis::from_zero([2345.0].into_iter())), ["0", "1000", "2000", "3000"]);
        assert_eq!(labels(&Axis::values([0.3, 40.0].into_iter())), ["0.5", "1", "2", "5", "10", "20"]);
    }

    #[test]
    fn degenerate_data_still_makes_an_axis() {
        for values in [vec![], vec![f64::NAN], vec![2.0], vec![0.0], vec![-3.0, -3.0], vec![1e-12, 1e12]] {
            let axis = Axis::values(values.iter().copied());
            assert!(axis.low() < axis.high(), "{values:?}");
            assert!((1..=9).contains(&labels(&axis).len()), "{values:?}: {:?}", labels(&axis));
        }
        assert_eq!(labels(&Axis::steps(7.0, 7.0)), ["7"]);
        assert_eq!(labels(&Axis::steps(1.0, 3.0)), ["1", "2", "3"]);
    }
}
