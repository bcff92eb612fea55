//! Errors of predictions in a few numbers.

use serde::Serialize;

/// Relative errors, prediction over measurement minus one, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Errors {
    /// Rows.
    pub rows: usize,
    /// Median of the absolute error.
    pub median: f64,
    /// 90th percentile of the absolute error.
    pub p90: f64,
    /// Median of the signed error: above zero, predictions are too large.
    pub signed: f64,
    /// Mean of the absolute error.
    pub mean: f64,
    /// Largest absolute error.
    pub max: f64,
}

impl Errors {
    /// Of relative errors.
    pub fn of(errors: &[f64]) -> Self {
        let mut absolute: Vec<f64> = errors.iter().map(|e| 100.0 * e.abs()).collect();
        let mut signed: Vec<f64> = errors.iter().map(|e| 100.0 * e).collect();
        absolute.sort_by(f64::total_cmp);
        signed.sort_by(f64::total_cmp);
        Self {
            rows: errors.len(),
            median: quantile(&absolute, 0.5),
            p90: quantile(&absolute, 0.9),
            signed: quantile(&signed, 0.5),
            mean: absolute.iter().sum::<f64>() / absolute.len().max(1) as f64,
            max: absolute.last().copied().unwrap_or(0.0),
        }
    }
}

/// Quantile of sorted numbers, interpolated; 0 for none.
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let place = at * (sorted.len() - 1) as f64;
    let (low, t) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] * (1.0 - t) + sorted[high] * t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_by_hand() {
        let e = Errors::of(&[0.1, -0.3, 0.2]);
        assert_eq!(e.rows, 3);
        assert!(
            (e.median - 20.0).abs() < 1e-9 && (e.signed - 10.0).abs() < 1e-9 && (e.max - 30.0).abs() < 1e-9
        );
        assert!((e.p90 - 28.0).abs() < 1e-9 && (e.mean - 20.0).abs() < 1e-9);
        assert_eq!(Errors::of(&[]).rows, 0);
    }
}
