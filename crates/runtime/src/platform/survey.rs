//! What of each platform is on this machine: the content of `collegium doctor`.

use std::path::PathBuf;

use collegium_pjrt::Client;

use super::{PLATFORMS, Platform, PlatformError};

/// The state of one platform. `problem` and `remedy` are set where something is missing.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Name of the platform.
    pub platform: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// The plugin, if found.
    pub plugin: Option<PathBuf>,
    /// PJRT API version of the plugin, if it loads.
    pub api_version: Option<(i32, i32)>,
    /// Version of the platform's software, in its own words.
    pub platform_version: Option<String>,
    /// Devices the plugin offers; of virtual ones, one.
    pub devices: Vec<DeviceReport>,
    /// Whether the plugin runs Rust custom calls.
    pub custom_calls: bool,
    /// What keeps the platform from working.
    pub problem: Option<String>,
    /// The command that mends it.
    pub remedy: Option<String>,
}

/// One device.
#[derive(Clone, Debug)]
pub struct DeviceReport {
    /// The plugin's id.
    pub id: i32,
    /// The vendor's name.
    pub kind: String,
    /// Memory that can be used, if anybody tells.
    pub memory_bytes: Option<u64>,
}

/// Looks at every platform. Loads the plugins found, so call it in a process that does nothing else with them; never
/// fetches, and never touches a plugin whose hardware is absent.
pub fn survey() -> Vec<Survey> {
    PLATFORMS.iter().map(|platform| survey_one(platform)).collect()
}

fn survey_one(platform: &Platform) -> Survey {
    let mut report = Survey {
        platform: platform.name,
        summary: platform.summary,
        plugin: None,
        api_version: None,
        platform_version: None,
        devices: Vec::new(),
        custom_calls: false,
        problem: None,
        remedy: None,
    };
    match platform.locate(None) {
        Ok(Some(path)) => report.plugin = Some(path),
        Ok(None) => {
            report.problem = Some("no plugin found".into());
            let fetch = platform.wheel.map(|_| "collegium doctor --fetch");
            report.remedy = Some(fetch.unwrap_or(platform.install).into());
        }
        Err(error) => report.fail(platform, &error),
    }
    if !platform.has_hardware() {
        let problem = format!("no such hardware here ({} not present)", platform.device_files.join(", "));
        (report.problem, report.remedy) = (Some(problem), None);
    } else if let Some(path) = report.plugin.clone() {
        // Devices in host memory are made to order; one shows that they work.
        let devices = platform.uses_host_memory.then_some(1);
        match platform.open(&path, devices) {
            Ok(client) => report.describe(platform, &client),
            Err(error) => report.fail(platform, &error),
        }
    }
    report
}

impl Survey {
    fn fail(&mut self, platform: &Platform, error: &PlatformError) {
        self.remedy = Some(match error {
            PlatformError::Missing { named_by, .. } => format!("unset {named_by}"),
            _ => platform.install.into(),
        });
        self.problem = Some(error.to_string());
    }

    fn describe(&mut self, platform: &Platform, client: &Client) {
        self.api_version = Some(client.plugin().version());
        self.platform_version = client.platform_version().ok();
        self.custom_calls = collegium_pjrt::ffi::is_supported(client.plugin());
        let host_memory = platform.uses_host_memory.then(host_memory_bytes).flatten();
        let report = |device: &collegium_pjrt::Device| DeviceReport {
            id: device.id(),
            kind: device.kind().into(),
            memory_bytes: device.memory_stats().ok().and_then(|stats| stats.bytes_limit).or(host_memory),
        };
        self.devices = client.devices().iter().map(report).collect();
    }
}

/// Memory of this machine, where the system tells.
fn host_memory_bytes() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_is_reported_and_problems_come_with_a_way_out() {
        let reports = survey();
        assert_eq!(reports.len(), PLATFORMS.len());
        for (report, platform) in reports.iter().zip(PLATFORMS) {
            assert_eq!(report.platform, platform.name);
            match &report.problem {
                None => assert!(!report.devices.is_empty() && report.api_version.is_some(), "{report:?}"),
                Some(_) => assert!(report.devices.is_empty(), "{report:?}"),
            }
            assert!(
                report.problem.is_none() || report.remedy.is_some() || !platform.has_hardware(),
                "{report:?}"
            );
        }
    }
}
