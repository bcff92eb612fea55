//! Compiled programs on disk, so that the next run does not compile them again.
//!
//! An entry is found by a hash of everything that decides the machine code: program, options, plugin file and version,
//! platform version, devices, compiler variables in the environment, and the CPU's features (code compiled on a newer
//! CPU would crash an older one that shares the folder). A plugin trusts serialised bytes, so an entry carries its own
//! hash; one that does not match, or that the plugin refuses, is compiled again and overwritten.
//! The cache never fails a run: what cannot be stored is only not stored. When the folder outgrows its limit, the entries that
//! were not used for longest go.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::{Client, CompileOptions, Executable, PjrtError};

const MAGIC: &[u8; 8] = b"CLGPJRT1";
const EXTENSION: &str = "pjrt";
/// Room for some thousand programs of a CPU, some hundred of an accelerator.
const MOST_BYTES: u64 = 2 << 30;

/// A folder of serialised executables.
#[derive(Clone, Debug)]
pub struct ExecutableCache {
    folder: PathBuf,
}

/// Where a program came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheOutcome {
    /// From the cache.
    Loaded,
    /// Compiled, and stored for the next time.
    Stored,
    /// Compiled, and not stored for this reason.
    NotStored(String),
}

impl ExecutableCache {
    /// A cache in `folder`, which is made when the first entry is stored.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The program from the cache, or compiled now.
    pub fn get_or_compile(
        &self,
        client: &Client,
        program: &str,
        options: &CompileOptions,
    ) -> Result<(Executable, CacheOutcome), PjrtError> {
        let path = self.path(client, program, options)?;
        let stored = std::fs::read(&path).ok();
        if let Some(executable) = stored.and_then(|file| client.load_serialized(payload(&file)?).ok()) {
            touch(&path);
            return Ok((executable, CacheOutcome::Loaded));
        }
        let executable = client.compile(program, options)?;
        let outcome = match executable.serialize() {
            Err(error) => CacheOutcome::NotStored(error.to_string()),
            Ok(bytes) => match store(&path, &bytes) {
                Ok(()) => {
                    prune(&self.folder, MOST_BYTES);
                    CacheOutcome::Stored
                }
                Err(error) => CacheOutcome::NotStored(format!("{}: {error}", path.display())),
            },
        };
        Ok((executable, outcome))
    }

    /// Where the entry for this program is or would be.
    pub fn path(
        &self,
        client: &Client,
        program: &str,
        options: &CompileOptions,
    ) -> Result<PathBuf, PjrtError> {
        let mut key = Key(Sha256::new());
        key.add(program.as_bytes());
        key.add(&client.encode_options(options)?);
        add_plugin(&mut key, client)?;
        for name in ["XLA_FLAGS", "NEURON_CC_FLAGS"] {
            key.add(std::env::var_os(name).unwrap_or_default().as_encoded_bytes());
        }
        key.add(cpu_features().as_bytes());
        Ok(self.folder.join(format!("{}.{EXTENSION}", key.hex())))
    }
}

fn add_plugin(key: &mut Key, client: &Client) -> Result<(), PjrtError> {
    let plugin = client.plugin();
    key.add(plugin.path().as_os_str().as_encoded_bytes());
    key.add(format!("{:?}", plugin.version()).as_bytes());
    let file = std::fs::metadata(plugin.path()).ok();
    let modified = file.as_ref().and_then(|f| f.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    key.add(format!("{:?} {modified:?}", file.map(|f| f.len())).as_bytes());
    key.add(client.platform_version()?.as_bytes());
    for device in client.devices() {
        key.add(device.kind().as_bytes());
    }
    Ok(())
}

/// The flags line of the first CPU; empty where the system has no such file.
fn cpu_features() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = info.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    flags.unwrap_or_default().to_owned()
}

/// A hash of parts, each with its length, so that no two lists of parts read the same.
struct Key(Sha256);

impl Key {
    fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// File: magic, SHA-256 of the rest, serialised executable.
fn payload(file: &[u8]) -> Option<&[u8]> {
    let (hash, bytes) = file.strip_prefix(MAGIC)?.split_at_checked(32)?;
    (Sha256::digest(bytes).as_slice() == hash).then_some(bytes)
}

/// Several processes may store one entry at once: each writes its own file and the last rename stands.
fn store(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().expect("entries lie in a folder");
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&Sha256::digest(bytes))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Marks an entry as used now; on a folder that cannot be written it keeps its age.
fn touch(path: &Path) {
    let now = std::time::SystemTime::now();
    let _ = std::fs::File::options().append(true).open(path).and_then(|file| file.set_modified(now));
}

/// Removes the entries that were not used for longest until the rest has at most `most` bytes.
fn prune(folder: &Path, most: u64) {
    let Ok(files) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = files
        .filter_map(|file| {
            let path = file.ok()?.path();
            let about = path.metadata().ok().filter(|_| path.extension().is_some_and(|e| e == EXTENSION))?;
            Some((about.modified().ok()?, about.len(), path))
        })
        .collect();
    let mut total: u64 = entries.iter().map(|e| e.1).sum();
    entries.sort();
    for (_, bytes, path) in entries {
        if total <= most {
            return;
        }
        // Another process may have removed it already.
        let _ = std::fs::remove_file(path);
        total -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = |n: u64| folder.path().join(format!("{n}.pjrt"));
        for n in 0..4u64 {
            store(&path(n), &[0; 60]).unwrap();
            let file = std::fs::File::options().append(true).open(path(n)).unwrap();
            file.set_modified(UNIX_EPOCH + std::time::Duration::from_secs(n)).unwrap();
        }
        std::fs::write(folder.path().join("notes.txt"), [0; 999]).unwrap();
        touch(&path(0));
        prune(folder.path(), 250);
        let left = [0, 1, 2, 3].map(|n| path(n).exists());
        assert_eq!(left, [true, false, false, true]);
        assert!(folder.path().join("notes.txt").exists());
    }

    #[test]
    fn an_entry_reads_back_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/entry.pjrt");
        store(&path, b"machine code").unwrap();
        let mut file = std::fs::read(&path).unwrap();
        assert_eq!(payload(&file), Some(&b"machine code"[..]));
        assert_eq!(payload(&file[..20]), None);
        *file.last_mut().unwrap() ^= 1;
        assert_eq!(payload(&file), None);
    }

    #[test]
    fn parts_do_not_run_together() {
        let key = |parts: &[&str]| {
            let mut key = Key(Sha256::new());
            parts.iter().for_each(|part| key.add(part.as_bytes()));
            key.hex()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
    }
}
