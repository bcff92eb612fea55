//! The descriptions in the binary, and those of the user's own files beside them.

use std::path::Path;

use crate::ClusterError;
use crate::device::Device;
use crate::instance::Instance;

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../data/", $folder, "/", $name, ".toml")))),*]
    };
}

/// Devices in the binary.
const DEVICES: &[(&str, &str)] = files!("devices": "trn1", "trn2", "trn3", "a100", "h100", "h100-500w", "h200", "h800", "b200", "b300", "gb200", "gb300", "l40s", "mi300x", "cpu");

/// Instances in the binary.
const INSTANCES: &[(&str, &str)] = files!(
    "instances":
    "trn1.32xlarge", "trn2.48xlarge", "trn2u.48xlarge", "trn3-ultraserver-gen1", "p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge",
    "p5en.48xlarge", "p6-b200.48xlarge", "p6-b300.48xlarge", "dgx-a100", "dgx-h100", "h100-500w-node", "h800-node", "gb200-nvl72", "gb300-nvl72",
    "l40s-node", "mi300x-node", "laptop",
);

/// All descriptions there are.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Devices, in the order of their files.
    pub devices: Vec<Device>,
    /// Instances, in the order of their files.
    pub instances: Vec<Instance>,
}

impl Default for Catalog {
    fn default() -> Self {
        let parsed =
            |files: &[(&str, &str)]| files.iter().map(|f| (f.0.to_string(), f.1.to_string())).collect();
        let (devices, instances): (Vec<_>, Vec<_>) = (parsed(DEVICES), parsed(INSTANCES));
        let mut catalog = Self { devices: Vec::new(), instances: Vec::new() };
        for (name, text) in devices.iter().chain(&instances) {
            catalog.add(name, text).expect("a test parses every file in the binary");
        }
        catalog
    }
}

impl Catalog {
    /// Adds a description, in place of one with its name.
    ///
    /// # Errors
    /// Text that describes neither a device nor an instance.
    pub fn add(&mut self, path: &str, text: &str) -> Result<(), ClusterError> {
        let wrong = |e: toml::de::Error| ClusterError::Description { path: path.into(), why: e.to_string() };
        let table: toml::Table = text.parse().map_err(wrong)?;
        if table.contains_key("matrix") {
            let device: Device = toml::from_str(text).map_err(wrong)?;
            self.devices.retain(|d| d.name != device.name);
            self.devices.push(device);
        } else {
            let instance: Instance = toml::from_str(text).map_err(wrong)?;
            self.instances.retain(|i| i.name != instance.name);
            self.instances.push(instance);
        }
        Ok(())
    }

    /// Adds a file of the user's own.
    ///
    /// # Errors
    /// A file that cannot be read, or describes neither a device nor an instance.
    pub fn add_file(&mut self, path: &Path) -> Result<(), ClusterError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ClusterError::Read { path: name.clone(), source })?;
        self.add(&name, &text)
    }

    /// The device of a name or an alias, whatever the case.
    ///
    /// # Errors
    /// A name that nothing has.
    pub fn device(&self, name: &str) -> Result<&Device, ClusterError> {
        let wanted = name.to_lowercase();
        let fits = |d: &&Device| d.name == wanted || d.aliases.iter().any(|a| a.to_lowercase() == wanted);
        self.devices.iter().find(fits).ok_or_else(|| ClusterError::Unknown {
            what: "device",
            name: name.into(),
            nearest: nearest(&wanted, self.devices.iter().map(|d| d.name.as_str())),
        })
    }

    /// The instance of a name; a device's name stands for the first instance of that device.
    ///
    /// # Errors
    /// A name that nothing has.
    pub fn instance(&self, name: &str) -> Result<&Instance, ClusterError> {
        let wanted = name.to_lowercase();
        let by_name = self.instances.iter().find(|i| i.name == wanted);
        let by_device = || {
            let device = self.device(&wanted).ok()?;
            self.instances.iter().find(|i| i.device == device.name)
        };
        by_name.or_else(by_device).ok_or_else(|| ClusterError::Unknown {
            what: "cluster",
            name: name.into(),
            nearest: nearest(&wanted, self.instances.iter().map(|i| i.name.as_str())),
        })
    }
}

/// At most three names within half of their length of edits, nearest first.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(usize, &str)> = known.map(|k| (strsim::levenshtein(name, k), k)).collect();
    near.retain(|(d, k)| *d <= k.len().max(name.len()) / 2);
    near.sort();
    near.into_iter().take(3).map(|n| n.1.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_was_fitted_to_is_no_surer_than_what_was() {
        let catalog = Catalog::default();
        let fitted = |d: &&Device| !d.calibration.fitted_to.is_empty();
        let bands = |d: &Device| [d.calibration.spread, d.calibration.spread_sparse];
        let guessed = |d: &&Device| !fitted(d) && d.calibration.like.is_none();
        for device in catalog.devices.iter().filter(guessed) {
            for known in catalog.devices.iter().filter(fitted).filter(|k| k.platform == device.platform) {
                let wider = bands(device).iter().zip(bands(known)).all(|(own, other)| *own >= other);
                assert!(wider, "{} beside {}", device.name, known.name);
            }
        }
    }

    #[test]
    fn every_file_parses_and_names_a_device_that_exists() {
        let catalog = Catalog::default();
        for instance in &catalog.instances {
            let device = catalog.device(&instance.device).unwrap();
            assert!(instance.domain > 0 && instance.devices > 0, "{}", instance.name);
            assert!(device.cores > 0);
        }
    }

    #[test]
    fn every_known_figure_has_a_source() {
        let catalog = Catalog::default();
        for d in &catalog.devices {
            let memory = [&d.memory.bytes, &d.memory.bandwidth, &d.memory.reserved];
            let rest = [&d.power.idle, &d.power.max, &d.link.bandwidth, &d.link.latency];
            for figure in memory.into_iter().chain(rest).chain(d.matrix.values()) {
                assert!(!figure.source.is_empty(), "{}: {figure:?} has no source", d.name);
                assert!(
                    figure.value.is_none() || !figure.date.is_empty(),
                    "{}: {figure:?} has no date",
                    d.name
                );
            }
        }
        for i in &catalog.instances {
            for figure in [&i.host.memory, &i.host.bandwidth, &i.host.link, &i.host.tokenise] {
                assert!(!figure.source.is_empty(), "{}: {figure:?} has no source", i.name);
                assert!(figure.value.is_none() || !figure.date.is_empty(), "{}: {figure:?}", i.name);
            }
        }
        for price in catalog.instances.iter().flat_map(|i| &i.price) {
            assert!(!price.source.is_empty() && price.date.len() >= 4, "{price:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        let error = Catalog::default().instance("trn2.48xlrge").unwrap_err().to_string();
        assert!(error.contains("there is no cluster `trn2.48xlrge`, did you mean trn2.48xlarge"), "{error}");
        assert!(Catalog::default().instance("H100").unwrap().device == "h100");
    }
}
