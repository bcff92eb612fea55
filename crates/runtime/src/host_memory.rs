//! Memory of this machine, which virtual devices share (Linux; unknown elsewhere).

use crate::MemoryUse;

/// What one of `devices` virtual devices may count on: an equal share of what is there and of what is taken.
pub(crate) fn share_of(devices: usize) -> Option<MemoryUse> {
    of_text(&std::fs::read_to_string("/proc/meminfo").ok()?, devices as u64)
}

fn of_text(text: &str, devices: u64) -> Option<MemoryUse> {
    let bytes = |key: &str| -> Option<u64> {
        let line = text.lines().find_map(|l| l.strip_prefix(key))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    let (total, free) = (bytes("MemTotal:")?, bytes("MemAvailable:")?);
    let share = |n: u64| n / devices.max(1);
    let bytes_in_use = share(total.saturating_sub(free));
    Some(MemoryUse { bytes_in_use, peak_bytes: None, limit_bytes: Some(share(total)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_share_what_the_machine_has() {
        let text = "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n";
        let memory = of_text(text, 2).unwrap();
        assert_eq!((memory.bytes_in_use, memory.limit_bytes), (200 * 1024, Some(500 * 1024)));
        assert_eq!(of_text("MemTotal: much\n", 2), None);
    }
}
