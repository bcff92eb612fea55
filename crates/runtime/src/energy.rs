//! Joules that this machine has used, where it says: RAPL counters of the processor packages (Linux powercap), and the power of NVIDIA GPUs as
//! `nvidia-smi` samples it. Neuron devices state a share of an unpublished maximum only, which is no measurement, so they are not read.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::RuntimeError;

/// Milliseconds between two samples of a GPU's power.
const SAMPLE_MS: &str = "200";

/// Counts joules from the moment it is opened.
pub struct Meter {
    packages: Vec<Package>,
    gpus: Option<Gpus>,
}

/// A counter of microjoules that starts again at its range.
struct Package {
    file: PathBuf,
    range: u64,
    last: u64,
    joules: f64,
}

/// `nvidia-smi` while it samples; its samples summed up by a thread.
struct Gpus {
    child: Child,
    joules: Arc<Mutex<f64>>,
}

impl Meter {
    /// Everything that this machine can measure.
    ///
    /// # Errors
    /// What is missing, and how to get it, where there is nothing.
    pub fn open() -> Result<Self, RuntimeError> {
        Self::of(Path::new("/sys/class/powercap"), "nvidia-smi")
    }

    /// As [`open`](Self::open), with the folder of the counters and the program that samples GPUs.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of(powercap: &Path, nvidia_smi: &str) -> Result<Self, RuntimeError> {
        let (packages, locked) = packages(powercap);
        let gpus = Gpus::start(nvidia_smi);
        if packages.is_empty() && gpus.is_none() {
            let counters = match locked {
                Some(file) => format!(
                    "{} is there but only root may read it (run as root, or make it readable)",
                    file.display()
                ),
                None => format!("{} has no RAPL package (virtual machines hide it)", powercap.display()),
            };
            return Err(RuntimeError::Energy(format!(
                "this machine has no energy meter: {counters}; {nvidia_smi} gives no power; `collegium plan` estimates energy instead"
            )));
        }
        Ok(Self { packages, gpus })
    }

    /// What is measured, in words.
    pub fn sources(&self) -> String {
        let cpu = (!self.packages.is_empty()).then(|| format!("{} RAPL packages", self.packages.len()));
        let gpu = self.gpus.as_ref().map(|_| "NVIDIA GPUs (nvidia-smi)".to_string());
        cpu.into_iter().chain(gpu).collect::<Vec<_>>().join(" and ")
    }

    /// Joules since the meter was opened. Call it more often than the counters wrap (about every half hour at 100 W).
    pub fn joules(&mut self) -> f64 {
        let cpu: f64 = self.packages.iter_mut().map(Package::joules).sum();
        let gpu =
            self.gpus.as_ref().map_or(0.0, |g| *g.joules.lock().unwrap_or_else(PoisonError::into_inner));
        cpu + gpu
    }
}

impl Package {
    fn joules(&mut self) -> f64 {
        if let Some(now) = number(&self.file) {
            let used =
                if now >= self.last { now - self.last } else { self.range.saturating_sub(self.last) + now };
            self.joules += used as f64 * 1e-6;
            self.last = now;
        }
        self.joules
    }
}

impl Gpus {
    fn start(program: &str) -> Option<Self> {
        let arguments = ["--query-gpu=index,power.draw", "--format=csv,noheader,nounits", "-lms", SAMPLE_MS];
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        // A machine without a driver prints no power at all.
        let Some(first) = lines.next().and_then(Result::ok).and_then(|l| sample(&l)) else {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        };
        let joules = Arc::new(Mutex::new(0.0));
        let sum = joules.clone();
        std::thread::spawn(move || {
            let mut last = std::collections::BTreeMap::from([(first.0, (Instant::now(), first.1))]);
            for (gpu, watts) in lines.map_while(Result::ok).filter_map(|l| sample(&l)) {
                let now = Instant::now();
                if let Some((then, before)) = last.insert(gpu, (now, watts)) {
                    let used = 0.5 * (before + watts) * (now - then).as_secs_f64();
                    *sum.lock().unwrap_or_else(PoisonError::into_inner) += used;
                }
            }
        });
        Some(Self { child, joules })
    }
}

impl Drop for Gpus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `0, 312.45`: a GPU and its watts.
fn sample(line: &str) -> Option<(u32, f64)> {
    let (gpu, watts) = line.split_once(',')?;
    Some((gpu.trim().parse().ok()?, watts.trim().parse().ok()?))
}

/// The package counters (`intel-rapl:N`, also AMD's), and one that is there but locked.
fn packages(powercap: &Path) -> (Vec<Package>, Option<PathBuf>) {
    let entries = std::fs::read_dir(powercap).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|e| e.path())
        // `intel-rapl:0:1` is a part of `intel-rapl:0`.
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().matches(':').count() == 1))
        .collect();
    folders.sort();
    let (mut found, mut locked) = (Vec::new(), None);
    for folder in folders {
        let file = folder.join("energy_uj");
        match number(&file) {
            Some(last) => {
                let range = number(&folder.join("max_energy_range_uj")).unwrap_or(u64::from(u32::MAX));
                found.push(Package { file, range, last, joules: 0.0 });
            }
            None if file.exists() => locked = Some(file),
            None => {}
        }
    }
    (found, locked)
}

fn number(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_over_a_wrap_and_parts_are_not_counted_twice() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, value: &str| {
            let package = folder.path().join(name);
            std::fs::create_dir_all(&package).unwrap();
            std::fs::write(package.join("energy_uj"), value).unwrap();
            std::fs::write(package.join("max_energy_range_uj"), "10000000").unwrap();
        };
        put("intel-rapl:0", "9000000");
        put("intel-rapl:0:1", "5");
        let mut meter = Meter::of(folder.path(), "no-such-program").unwrap();
        assert_eq!(meter.sources(), "1 RAPL packages");
        put("intel-rapl:0", "9500000");
        assert!((meter.joules() - 0.5).abs() < 1e-9);
        put("intel-rapl:0", "1000000");
        assert!((meter.joules() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_machine_without_a_meter_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let error = Meter::of(folder.path(), "no-such-program").err().unwrap().to_string();
        assert!(
            error.contains("no energy meter") && error.contains("no-such-program gives no power"),
            "{error}"
        );
    }

    #[test]
    fn lines_of_power() {
        assert_eq!(sample("1, 312.45"), Some((1, 312.45)));
        assert_eq!(sample("0, [N/A]"), None);
    }
}
