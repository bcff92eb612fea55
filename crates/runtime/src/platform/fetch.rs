//! Fetching a plugin's wheel with the user's own pip.
//!
//! pip knows the user's proxies, mirrors and certificates, so nothing here speaks HTTP. The version and the hashes of
//! all builds are pinned; pip checks them, and so do we, before anything is unpacked. The library is renamed into place
//! when it is complete, and a lock keeps two processes from fetching the same thing; where files cannot be locked they
//! both fetch, and the last rename stands.

use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

/// A pinned wheel that holds a plugin.
pub struct Wheel {
    /// Name on the package index.
    pub project: &'static str,
    /// The version.
    pub version: &'static str,
    /// The library inside the wheel.
    pub library: &'static str,
    /// One build per CPU architecture.
    pub builds: &'static [Build],
}

/// A wheel file.
pub struct Build {
    /// The architecture, as Rust names it.
    pub arch: &'static str,
    /// SHA-256 of the wheel.
    pub wheel_sha256: &'static str,
    /// Size of the download.
    pub wheel_mib: u32,
    /// Size of the library.
    pub library_bytes: u64,
}

impl Wheel {
    /// File name in the cache folder; it carries the version, so that versions live side by side.
    pub fn cached_name(&self) -> String {
        let stem = Path::new(self.library).file_stem().unwrap_or_default().to_string_lossy();
        format!("{stem}-{}.so", self.version)
    }

    /// Whether a file in the cache has the size of the whole library.
    pub(super) fn is_complete(&self, file: &Path) -> bool {
        let len = fs::metadata(file).map(|file| file.len()).ok();
        self.build().is_ok_and(|build| len == Some(build.library_bytes))
    }

    fn build(&self) -> Result<&Build, String> {
        let here = if cfg!(target_os = "linux") { std::env::consts::ARCH } else { std::env::consts::OS };
        self.builds.iter().find(|build| build.arch == here).ok_or_else(|| {
            let known: Vec<_> = self.builds.iter().map(|build| build.arch).collect();
            format!(
                "{} {} is built for Linux on {}, not for {here}",
                self.project,
                self.version,
                known.join(" and ")
            )
        })
    }
}

/// Puts the wheel's library into `folder` and returns its path. A library of the right size that is there is kept.
pub(super) fn fetch(wheel: &Wheel, python: &Path, folder: &Path) -> Result<PathBuf, String> {
    let build = wheel.build()?;
    let target = folder.join(wheel.cached_name());
    let in_folder =
        |e: io::Error| format!("{}: {e}; set COLLEGIUM_CACHE to a writable folder", folder.display());
    fs::create_dir_all(folder).map_err(in_folder)?;
    let lock = File::create(folder.join(".lock")).map_err(in_folder)?;
    let _ = lock.lock();
    if wheel.is_complete(&target) {
        return Ok(target);
    }
    let work = tempfile::tempdir_in(folder).map_err(in_folder)?;
    eprintln!(
        "fetching {} {} ({} MiB) with pip into {}",
        wheel.project,
        wheel.version,
        build.wheel_mib,
        folder.display()
    );
    let file = download(wheel, python, work.path())?;
    verify(&file, build)?;
    let library = unpack(wheel, build, python, &file, work.path())?;
    fs::rename(library, &target).map_err(in_folder)?;
    Ok(target)
}

fn download(wheel: &Wheel, python: &Path, work: &Path) -> Result<PathBuf, String> {
    let hashes: String = wheel.builds.iter().map(|b| format!(" --hash=sha256:{}", b.wheel_sha256)).collect();
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, format!("{}=={}{hashes}\n", wheel.project, wheel.version))
        .map_err(|e| format!("{}: {e}", requirements.display()))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]);
    pip.args(["--disable-pip-version-check", "--no-input", "--dest"]).arg(work).arg("-r").arg(requirements);
    if !io::stderr().is_terminal() {
        pip.arg("--quiet"); // on a terminal pip draws its progress bar
    }
    run(pip, "pip download")?;
    let files = fs::read_dir(work).map_err(|e| format!("{}: {e}", work.display()))?;
    let mut paths = files.flatten().map(|file| file.path());
    paths
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or_else(|| "pip downloaded no wheel".into())
}

fn verify(file: &Path, build: &Build) -> Result<(), String> {
    let mut hash = Sha256::new();
    let copied = File::open(file).and_then(|mut file| io::copy(&mut file, &mut Hashing(&mut hash)));
    copied.map_err(|e| format!("{}: {e}", file.display()))?;
    let given: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    match given == build.wheel_sha256 {
        true => Ok(()),
        false => Err(format!("the wheel's SHA-256 is {given}, pinned is {}", build.wheel_sha256)),
    }
}

struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unpack(wheel: &Wheel, build: &Build, python: &Path, file: &Path, work: &Path) -> Result<PathBuf, String> {
    let mut unzip = Command::new(python);
    unzip.args(["-m", "zipfile", "-e"]).arg(file).arg(work);
    run(unzip, "unpacking the wheel")?;
    let library = work.join(wheel.library);
    let synced = File::open(&library).and_then(|file| file.sync_all().and(file.metadata()));
    let len = synced.map_err(|e| format!("{} in the wheel: {e}", wheel.library))?.len();
    match len == build.library_bytes {
        true => Ok(library),
        false => Err(format!("{} has {len} bytes, pinned are {}", wheel.library, build.library_bytes)),
    }
}

/// Runs a command whose output belongs on the terminal; what it says on stderr becomes the error.
fn run(mut command: Command, what: &str) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(io::stderr()).stderr(Stdio::piped());
    let output =
        command.spawn().and_then(|child| child.wait_with_output()).map_err(|e| format!("{what}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message");
    // Offline, pip's last line says only that there is no such package; why stands in its warnings about retries.
    let offline =
        if words.contains("connection broken") { " (the package index cannot be reached)" } else { "" };
    Err(format!("{what}: {last}{offline}"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A wheel so small that a test can make it: five bytes, `wheel`, with a "library" of four.
    static SMALL: Wheel = Wheel {
        project: "small",
        version: "1.0",
        library: "small/small.so",
        builds: &[Build {
            arch: std::env::consts::ARCH,
            wheel_sha256: "ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91",
            wheel_mib: 1,
            library_bytes: 4,
        }],
    };

    /// An executable script in the place of Python.
    fn python(folder: &Path, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("python3");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The files in a folder, except the lock.
    fn left(folder: &Path) -> Vec<PathBuf> {
        let files = fs::read_dir(folder).unwrap().flatten().map(|file| file.path());
        files.filter(|path| !path.ends_with(".lock")).collect()
    }

    #[test]
    fn failing_pip_is_quoted_and_leaves_nothing() {
        let (bin, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let pip = python(
            bin.path(),
            "echo 'WARNING: Retrying after connection broken by x' >&2; echo 'ERROR: None found' >&2; exit 1",
        );
        let error = fetch(&SMALL, &pip, cache.path()).unwrap_err();
        assert_eq!(error, "pip download: ERROR: None found (the package index cannot be reached)");
        assert!(left(cache.path()).is_empty());
    }

    #[test]
    fn the_pinned_wheel_is_unpacked_into_the_cache() {
        let (bin, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let script = "case $2 in
            pip) while [ \"$1\" != --dest ]; do shift; done
                grep -q 'small==1.0 --hash=sha256:' \"$4\" && printf wheel > \"$2/small-1.0.whl\" ;;
            zipfile) mkdir \"$5/small\" && printf full > \"$5/small/small.so\" ;;
        esac";
        let library = fetch(&SMALL, &python(bin.path(), script), cache.path()).unwrap();
        assert_eq!(fs::read(&library).unwrap(), b"full");
        assert_eq!(left(cache.path()), [library]);
    }

    #[test]
    fn a_wheel_that_is_not_the_pinned_one_is_refused() {
        let (bin, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let script = "while [ \"$1\" != --dest ]; do shift; done; echo forged > \"$2/small-1.0.whl\"";
        let error = fetch(&SMALL, &python(bin.path(), script), cache.path()).unwrap_err();
        assert!(error.starts_with("the wheel's SHA-256 is"), "{error}");
        assert!(left(cache.path()).is_empty());
    }

    #[test]
    fn a_complete_library_is_not_fetched_again_and_a_torn_one_is() {
        let (bin, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let pip = python(bin.path(), "echo called >&2; exit 1");
        let library = cache.path().join("small-1.0.so");
        fs::write(&library, "full").unwrap();
        assert_eq!(fetch(&SMALL, &pip, cache.path()).unwrap(), library);
        fs::write(&library, "fu").unwrap();
        assert_eq!(fetch(&SMALL, &pip, cache.path()).unwrap_err(), "pip download: called");
    }
}
