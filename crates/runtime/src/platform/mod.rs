//! Platforms: which plugin serves a device, where it is found, and what it wants.
//!
//! Plugins are never linked, and never part of the build: users have them, or (for the CPU) get one on first use. A
//! platform is a table entry in a file of its own; adding one is that file and a line in [`PLATFORMS`].
//!
//! A plugin is looked for in this order: the path given explicitly; the environment variables `COLLEGIUM_PJRT_PLUGIN`
//! and the platform's own; the cache folder; `site-packages` of the active Python. What an explicit path or a variable
//! names is used or is an error, never passed over.

mod cpu;
mod cuda;
mod fetch;
mod neuron;
mod search;
mod survey;

use std::path::{Path, PathBuf};

use collegium_pjrt::{Client, OptionValue, PjrtError, Plugin, allocator, environment};

pub use fetch::Wheel;
pub use search::program_folder;
pub use survey::{DeviceReport, Survey, survey};

/// All platforms; the first is the default.
pub static PLATFORMS: &[&Platform] = &[
    &cpu::PLATFORM,    //
    &cuda::PLATFORM,   //
    &neuron::PLATFORM, //
];

/// One kind of device and its plugin.
pub struct Platform {
    /// What users call it.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Environment variable that names the plugin's file.
    pub variable: &'static str,
    /// Where wheels put the library, below `site-packages`; the last parts are the names it has elsewhere.
    pub libraries: &'static [&'static str],
    /// The wheel to fetch on first use, where that is allowed.
    pub wheel: Option<&'static Wheel>,
    /// The command that installs the plugin.
    pub install: &'static str,
    /// Device files of which one exists where the hardware does; empty: needs no hardware.
    pub device_files: &'static [&'static str],
    /// Whether devices use the host's memory (and plugins then do not count it).
    pub uses_host_memory: bool,
    /// Variables the plugin reads when it starts. Those already set are kept.
    pub environment: fn(plugin: &Path) -> Vec<Variable>,
    /// Client options for this many devices; `None`: all there are.
    pub client_options: fn(devices: Option<usize>) -> Vec<(&'static str, OptionValue)>,
}

/// An environment variable for a plugin.
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Whether the plugin does not work without. Others only make it quieter or quicker.
    pub required: bool,
}

/// Why a platform cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// No such platform.
    #[error("platform `{name}` is unknown; known are {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The user named a file that does not exist.
    #[error("plugin {} (named by {named_by}): no such file; correct the path, or leave it out to search for the plugin", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
        /// The argument or variable.
        named_by: String,
    },
    /// Nowhere to be found.
    #[error(
        "no plugin for platform `{platform}`; looked for {looked}; install it with `{install}`, or set {variable} to its path"
    )]
    NotFound {
        /// The platform.
        platform: &'static str,
        /// Files that were looked for.
        looked: String,
        /// The command that installs it.
        install: &'static str,
        /// The variable that names it.
        variable: &'static str,
    },
    /// Fetching failed.
    #[error(
        "the plugin for platform `{platform}` could not be fetched: {problem}\nrun `{install}` where there is a network, or set {variable} to the path of the plugin"
    )]
    Fetch {
        /// The platform.
        platform: &'static str,
        /// What went wrong.
        problem: String,
        /// The command that installs it.
        install: &'static str,
        /// The variable that names it.
        variable: &'static str,
    },
    /// The plugin is there, and does not work.
    #[error("platform `{platform}`: {source}\nif the file is damaged, remove {} and run again (or `{install}`)", path.display())]
    Plugin {
        /// The platform.
        platform: &'static str,
        /// The plugin.
        path: PathBuf,
        /// Its own words.
        source: PjrtError,
        /// The command that installs it.
        install: &'static str,
    },
}

/// The platform of this name.
pub fn by_name(name: &str) -> Result<&'static Platform, PlatformError> {
    PLATFORMS.iter().copied().find(|p| p.name == name).ok_or_else(|| {
        let known: Vec<_> = PLATFORMS.iter().map(|p| p.name).collect();
        PlatformError::Unknown { name: name.into(), known: known.join(", ") }
    })
}

/// The plugin of a platform: found by the search order, or fetched now if the platform allows.
pub fn find(name: &str, explicit: Option<&Path>) -> Result<PathBuf, PlatformError> {
    by_name(name)?.find(explicit)
}

impl Platform {
    /// The plugin: found by the search order, or fetched now if the platform allows.
    pub fn find(&self, explicit: Option<&Path>) -> Result<PathBuf, PlatformError> {
        match self.locate(explicit)? {
            Some(path) => Ok(path),
            None if self.wheel.is_some() => self.fetch(),
            None => Err(PlatformError::NotFound {
                platform: self.name,
                looked: self.libraries.join(", "),
                install: self.install,
                variable: self.variable,
            }),
        }
    }

    /// The plugin, if it is on this machine.
    pub fn locate(&self, explicit: Option<&Path>) -> Result<Option<PathBuf>, PlatformError> {
        search::locate(self, explicit)
    }

    /// Fetches the plugin into the cache folder and returns its path there; at once, if it is there already.
    pub fn fetch(&self) -> Result<PathBuf, PlatformError> {
        let failed = |problem: String| PlatformError::Fetch {
            platform: self.name,
            problem,
            install: self.install,
            variable: self.variable,
        };
        let wheel = self.wheel.ok_or_else(|| failed("it is not offered for download".into()))?;
        let python =
            search::python().ok_or_else(|| failed("no python3 on PATH, whose pip would do it".into()))?;
        let folder =
            search::plugin_folder().ok_or_else(|| failed("no cache folder: HOME is not set".into()))?;
        fetch::fetch(wheel, &python, &folder).map_err(failed)
    }

    /// Opens the plugin at `path` and makes a client with this many devices (`None`: all there are).
    ///
    /// Call it before starting threads: some plugins read variables that can only be set then.
    pub fn open(&self, path: &Path, devices: Option<usize>) -> Result<Client, PlatformError> {
        let failed = |source| PlatformError::Plugin {
            platform: self.name,
            path: path.into(),
            source,
            install: self.install,
        };
        for Variable { name, value, required } in (self.environment)(path) {
            let set = environment::set_defaults(&[(name, &value)]);
            if required {
                set.map_err(failed)?;
            }
        }
        if self.uses_host_memory {
            allocator::keep_freed_memory();
        }
        let plugin = Plugin::load(path).map_err(failed)?;
        Client::new(&plugin, &(self.client_options)(devices)).map_err(failed)
    }

    /// Whether the hardware is there, as far as device files tell.
    pub fn has_hardware(&self) -> bool {
        self.device_files.is_empty() || self.device_files.iter().any(|file| Path::new(file).exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_found_by_name() {
        assert_eq!(by_name("cuda").unwrap().name, "cuda");
        let error = by_name("tpu").map(|p| p.name).unwrap_err().to_string();
        assert_eq!(error, "platform `tpu` is unknown; known are cpu, cuda, neuron");
    }

    #[test]
    fn a_path_given_is_used_or_is_an_error() {
        let error = find("cpu", Some(Path::new("/nowhere/plugin.so"))).unwrap_err().to_string();
        assert!(
            error.starts_with("plugin /nowhere/plugin.so (named by the argument): no such file;"),
            "{error}"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(find("neuron", Some(file.path())).unwrap(), file.path());
    }

    #[test]
    fn a_damaged_plugin_names_path_problem_and_remedy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "torn").unwrap();
        let error = cpu::PLATFORM.open(file.path(), Some(2)).unwrap_err().to_string();
        let path = file.path().display().to_string();
        for part in [&path, "not a shared library", "remove", "pip install xla-cpu-pjrt==0.0.1"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
