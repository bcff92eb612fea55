//! Numbers as people read them. One place, so that the progress line, the summary and the page agree.

/// `1234567` as `1.23M`; `B` for billions as in "billion tokens".
pub(crate) fn count(value: f64) -> String {
    scaled(value, 1000.0, &["", "k", "M", "B", "T"])
}

/// Bytes with binary prefixes: `1.50 MiB`.
pub(crate) fn bytes(value: f64) -> String {
    scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
}

/// Seconds as `850 ms`, `12.3 s`, `4m 05s` or `2h 03m`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".to_owned();
    }
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    if seconds < 1e-3 {
        return format!("{:.0} µs", seconds * 1e6);
    }
    if seconds < 1.0 {
        return format!("{} ms", significant(seconds * 1e3));
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}h {minutes:02}m") } else { format!("{minutes}m {rest:02}s") }
}

/// Three significant digits, plain where that is short: `3.14`, `0.0123`, `3.00e-4`.
pub(crate) fn significant(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "NaN".to_owned() } else { "Inf".to_owned() };
    }
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".to_owned();
    }
    if !(0.01..1e5).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = (2 - magnitude.log10().floor() as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

fn scaled(value: f64, base: f64, suffixes: &[&str]) -> String {
    if !value.is_finite() {
        return significant(value);
    }
    let mut value = value;
    let mut rank = 0;
    while value.abs() >= base && rank + 1 < suffixes.len() {
        value /= base;
        rank += 1;
    }
    let number = if rank == 0 && value.fract() == 0.0 { format!("{value:.0}") } else { three_digits(value) };
    format!("{number}{}", suffixes[rank])
}

fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_naturally() {
        assert_eq!(["0", "999", "1.23k", "45.7k", "12.0M"], [0.0, 999.0, 1234.0, 45_678.0, 12e6].map(count));
        assert_eq!(["512 B", "1.50 KiB", "2.00 TiB"], [512.0, 1536.0, 2f64.powi(41)].map(bytes));
        assert_eq!(
            ["0 s", "850 ms", "12.3 s", "1m 00s", "4m 05s", "2h 03m"],
            [0.0, 0.85, 12.3, 59.97, 245.0, 7380.0].map(duration)
        );
        assert_eq!(
            ["3.14", "0.0123", "3.00e-4", "NaN", "123"],
            [std::f64::consts::PI, 0.0123, 0.0003, f64::NAN, 123.4].map(significant)
        );
    }
}
