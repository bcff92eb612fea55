//! Bytes by collective as bars, time by phase as one stacked bar with its table.

use super::escape;
use crate::units;
use std::{collections::BTreeMap, fmt::Write};

/// One bar per collective, the largest first.
pub(crate) fn collective_bars(bytes_per_step: &BTreeMap<String, f64>) -> String {
    let title = "<figure class=\"card\"><figcaption><b>Bytes by collective</b> <span>sent by one rank, mean per step</span></figcaption>";
    let rows = largest_first(bytes_per_step);
    let Some(largest) = rows.first().map(|r| r.1).filter(|&b| b > 0.0) else {
        return format!(
            "{title}<p class=\"empty\">No collective sent a byte: the run had one rank, or did not record them.</p></figure>"
        );
    };
    let mut out = format!("{title}<div class=\"bars\">");
    for (name, bytes) in rows {
        let _ = write!(
            out,
            "<span>{}</span><div class=\"bar\"><i style=\"width:{:.2}%\"></i></div><span class=\"num\">{}</span>",
            escape(name),
            bytes / largest * 100.0,
            units::bytes(bytes.round())
        );
    }
    out + "</div></figure>"
}

/// Shares of the measured time.
pub(crate) fn phase_bar(phase_seconds: &BTreeMap<String, f64>) -> String {
    let title = "<figure class=\"card\"><figcaption><b>Time by phase</b> <span>all recorded steps</span></figcaption>";
    let rows = largest_first(phase_seconds);
    let total: f64 = rows.iter().map(|r| r.1).sum();
    if !(total.is_finite() && total > 0.0) {
        return format!("{title}<p class=\"empty\">Not recorded.</p></figure>");
    }
    let (mut bar, mut table) = (String::new(), String::new());
    for (i, (name, seconds)) in rows.into_iter().enumerate() {
        let (name, share) = (escape(name), seconds / total * 100.0);
        let color = i % 8 + 1;
        let _ = write!(
            bar,
            "<i class=\"p{color}\" style=\"width:{share:.2}%\" data-tip=\"{name}: {share:.1} %\"></i>"
        );
        let _ = write!(
            table,
            "<tr><td><i class=\"key p{color}\"></i>{name}</td><td class=\"num\">{}</td><td class=\"num\">{share:.1} %</td></tr>",
            units::duration(seconds)
        );
    }
    format!("{title}<div class=\"stack\">{bar}</div><table>{table}</table></figure>")
}

fn largest_first(amounts: &BTreeMap<String, f64>) -> Vec<(&str, f64)> {
    let mut rows: Vec<_> = amounts.iter().map(|(name, &amount)| (name.as_str(), amount)).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_relative_to_the_largest() {
        let html = collective_bars(&BTreeMap::from([
            ("all_gather".to_owned(), 512.0),
            ("all_to_all".to_owned(), 2048.0),
        ]));
        let (large, small) = (html.find("all_to_all").unwrap(), html.find("all_gather").unwrap());
        assert!(large < small);
        assert!(html.contains("width:25.00%") && html.contains("2.00 KiB"), "{html}");
        assert!(collective_bars(&BTreeMap::new()).contains("No collective sent a byte"));
    }

    #[test]
    fn shares_of_time_are_told() {
        let html = phase_bar(&BTreeMap::from([("forward".to_owned(), 1.0), ("<b>".to_owned(), 3.0)]));
        assert!(html.contains("75.0 %") && html.contains("25.0 %") && html.contains("&lt;b&gt;"), "{html}");
        assert!(phase_bar(&BTreeMap::new()).contains("Not recorded."));
    }
}
