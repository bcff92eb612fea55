//! Where plugins are looked for.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PLATFORMS, Platform, PlatformError};

/// Variable that names the plugin whatever the platform.
const ANY_PLUGIN: &str = "COLLEGIUM_PJRT_PLUGIN";

pub(super) fn locate(platform: &Platform, explicit: Option<&Path>) -> Result<Option<PathBuf>, PlatformError> {
    if let Some((path, named_by)) = named(platform, explicit) {
        return match path.is_file() {
            true => Ok(Some(path)),
            false => Err(PlatformError::Missing { path, named_by }),
        };
    }
    let cached = plugin_folder().and_then(|folder| in_cache(platform, &folder));
    Ok(cached.or_else(|| in_site_packages(platform, &site_packages())))
}

/// The path the user gives, and where.
fn named(platform: &Platform, explicit: Option<&Path>) -> Option<(PathBuf, String)> {
    if let Some(path) = explicit {
        return Some((path.into(), "the argument".into()));
    }
    let any = variable(ANY_PLUGIN).filter(|path| meant_for(platform, path)).map(|path| (path, ANY_PLUGIN));
    let own = || variable(platform.variable).map(|path| (path, platform.variable));
    any.or_else(own).map(|(path, name)| (path, name.into()))
}

/// Whether a file that [`ANY_PLUGIN`] names is this platform's. A name that is no platform's may be anybody's.
fn meant_for(platform: &Platform, path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_of = |p: &Platform| stems(p).any(|stem| name.starts_with(stem));
    is_of(platform) || !PLATFORMS.iter().any(|p| is_of(p))
}

/// Library names without ending: `xla_cpu_pjrt`.
fn stems(platform: &Platform) -> impl Iterator<Item = &'static str> {
    platform.libraries.iter().filter_map(|library| Path::new(library).file_stem()?.to_str())
}

/// The wheel's library as `fetch` names it, or a library that the user put there. A torn one is as good as none: it is
/// fetched again.
fn in_cache(platform: &Platform, folder: &Path) -> Option<PathBuf> {
    let fetched = platform.wheel.map(|wheel| (wheel, folder.join(wheel.cached_name())));
    let fetched = fetched.filter(|(wheel, path)| wheel.is_complete(path)).map(|(_, path)| path);
    let placed = || stems(platform).map(|stem| folder.join(format!("{stem}.so"))).find(|path| path.is_file());
    fetched.or_else(placed)
}

fn in_site_packages(platform: &Platform, folders: &[PathBuf]) -> Option<PathBuf> {
    let candidates = folders.iter().flat_map(|folder| platform.libraries.iter().map(|l| folder.join(l)));
    candidates.into_iter().find(|path| path.is_file())
}

/// `$COLLEGIUM_CACHE`, or `collegium` in the user's cache folder.
fn cache_folder() -> Option<PathBuf> {
    variable("COLLEGIUM_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("collegium")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/collegium")))
}

/// Where fetched plugins are kept.
pub(super) fn plugin_folder() -> Option<PathBuf> {
    Some(cache_folder()?.join("plugins"))
}

/// Where compiled programs are kept: what `COLLEGIUM_PROGRAM_CACHE` names, nowhere if it says `off`, else a part of the cache folder.
pub fn program_folder() -> Option<PathBuf> {
    match variable("COLLEGIUM_PROGRAM_CACHE") {
        Some(named) if named.as_os_str() == "off" => None,
        Some(named) => Some(named),
        None => Some(cache_folder()?.join("programs")),
    }
}

/// The active Python: that of the virtual environment, or the first on `PATH`.
pub(super) fn python() -> Option<PathBuf> {
    let active = variable("VIRTUAL_ENV").map(|folder| folder.join("bin/python3"));
    let names = ["python3", "python"].map(PathBuf::from);
    let works =
        |python: &PathBuf| Command::new(python).arg("--version").output().is_ok_and(|o| o.status.success());
    active.into_iter().chain(names).find(works)
}

/// The folders in which the active Python finds packages.
fn site_packages() -> Vec<PathBuf> {
    const ASK: &str = "import site, sysconfig
paths = [sysconfig.get_path('purelib'), sysconfig.get_path('platlib'), *site.getsitepackages(), site.getusersitepackages()]
print('\\n'.join(dict.fromkeys(paths)))";
    let answer = python().and_then(|python| Command::new(python).args(["-c", ASK]).output().ok());
    let text = answer.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().map(PathBuf::from).collect()
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::by_name;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn a_general_variable_serves_the_platform_whose_library_it_names() {
        let meant = |name, path| meant_for(by_name(name).unwrap(), Path::new(path));
        assert!(meant("cpu", "/x/xla_cpu_pjrt-0.0.1.so"));
        assert!(!meant("cuda", "/x/xla_cpu_pjrt-0.0.1.so"));
        assert!(meant("cuda", "/x/xla_cuda_plugin.so"));
        assert!(meant("cpu", "/x/mine.so") && meant("neuron", "/x/mine.so"));
    }

    #[test]
    fn the_cache_prefers_the_fetched_library() {
        let cpu = by_name("cpu").unwrap();
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(in_cache(cpu, folder.path()), None);
        let placed = folder.path().join("xla_cpu_pjrt.so");
        touch(&placed);
        assert_eq!(in_cache(cpu, folder.path()), Some(placed.clone()));
        let fetched = folder.path().join("xla_cpu_pjrt-0.0.1.so");
        touch(&fetched);
        assert_eq!(in_cache(cpu, folder.path()), Some(placed), "a torn library is none");
        let Some(build) = cpu.wheel.unwrap().builds.iter().find(|b| b.arch == std::env::consts::ARCH) else {
            return;
        };
        std::fs::File::create(&fetched).unwrap().set_len(build.library_bytes).unwrap();
        assert_eq!(in_cache(cpu, folder.path()), Some(fetched));
    }

    #[test]
    fn site_packages_are_searched_in_order() {
        let cuda = by_name("cuda").unwrap();
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [first.path().to_path_buf(), second.path().to_path_buf()];
        assert_eq!(in_site_packages(cuda, &folders), None);
        let library = second.path().join("jax_plugins/xla_cuda12/xla_cuda_plugin.so");
        touch(&library);
        assert_eq!(in_site_packages(cuda, &folders), Some(library));
    }
}
