//! A look at a library's headers before the dynamic loader maps it.
//!
//! The loader trusts the headers: a file cut short by a broken download kills the process with a bus error. Reading
//! the program headers first turns that into a message. Files that are not ELF (macOS) are left to the loader.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const MACHINE: u16 = 0;

const HEADER_LEN: usize = 64;
const PROGRAM_HEADER_LEN: usize = 56;

/// What is wrong with the file, if anything can be seen.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let len = file.metadata().map_err(|e| e.to_string())?.len();
    let mut header = [0; HEADER_LEN];
    let readable = file.read_exact(&mut header).is_ok() && header.starts_with(b"\x7fELF");
    if !readable {
        return Err(format!("the file ({len} bytes) is not a shared library"));
    }
    let machine = u16_at(&header, 18);
    if MACHINE != 0 && machine != MACHINE {
        return Err(format!("it is for another kind of CPU (ELF machine {machine}, here {MACHINE})"));
    }
    let (offset, count) = (u64_at(&header, 32), u16_at(&header, 56));
    let mut entries = vec![0; usize::from(count) * PROGRAM_HEADER_LEN];
    let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut entries));
    read.map_err(|_| format!("the file is cut short: its headers end behind its {len} bytes"))?;
    let ends = entries.chunks_exact(PROGRAM_HEADER_LEN).map(|e| u64_at(e, 8).saturating_add(u64_at(e, 32)));
    // The loader does not need the section table, but it is the last thing in a file that nobody has cut.
    let sections = u64::from(u16_at(&header, 58)) * u64::from(u16_at(&header, 60));
    match ends.max().unwrap_or(0).max(u64_at(&header, 40).saturating_add(sections)) {
        end if end > len => Err(format!("the file is cut short: it has {len} bytes of {end} or more")),
        _ => Ok(()),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn damage_is_seen_before_the_loader_falls_over_it() {
        let own = std::env::current_exe().unwrap();
        check(&own).unwrap();
        let bytes = std::fs::read(own).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let problem = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            check(file.path()).unwrap_err()
        };
        assert!(problem(&bytes[..bytes.len() / 4]).starts_with("the file is cut short: it has"));
        assert!(problem(&bytes[..70]).starts_with("the file is cut short: its headers"));
        assert_eq!(problem(b"<html>404</html>"), "the file (16 bytes) is not a shared library");
        let mut other = bytes[..4096].to_vec();
        other[18] = 8;
        assert!(problem(&other).starts_with("it is for another kind of CPU (ELF machine 8"));
    }
}
