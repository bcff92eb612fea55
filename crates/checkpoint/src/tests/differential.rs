//! Any header is accepted exactly if the `safetensors` package accepts it (repeated names aside, which it does not see).

use proptest::prelude::*;
use safetensors::SafeTensors;

use super::*;

/// Entries that often tile the data and often just fail to.
fn entries() -> impl Strategy<Value = Vec<(&'static str, Vec<u64>, i64, i64)>> {
    let dtype = prop::sample::select(vec!["F32", "BF16", "U8", "I64", "BOOL"]);
    let sizes = prop::collection::vec(0u64..4, 0..3);
    let slip = prop_oneof![20 => Just(0i64), 1 => -2i64..3];
    prop::collection::vec((dtype, sizes, slip.clone(), slip), 0..5)
}

/// A file with these entries one after another, except where a begin or an end slips; listed last to first.
fn with_entries(entries: &[(&str, Vec<u64>, i64, i64)], extra_bytes: i64) -> Vec<u8> {
    let mut next = 0;
    let mut members = Vec::new();
    for (i, (dtype, sizes, begin_slip, end_slip)) in entries.iter().enumerate() {
        let width = crate::dtype::parse(dtype).unwrap().size_bytes() as u64;
        let bytes = (sizes.iter().product::<u64>() * width) as i64;
        let (begin, end) = ((next + begin_slip).max(0), (next + bytes + end_slip).max(0));
        members.push(format!(
            r#""t{i}":{{"dtype":"{dtype}","shape":{sizes:?},"data_offsets":[{begin},{end}]}}"#
        ));
        next = end;
    }
    members.reverse();
    file(&format!("{{{}}}", members.join(",")), (next + extra_bytes).max(0) as usize)
}

/// Names in both, or nothing where refused.
fn compare(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let folder = folder(&[("model.safetensors", bytes)]);
    let ours = SafetensorsReader::open(folder.path());
    let theirs = SafeTensors::deserialize(bytes);
    prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} against {:?}", ours.err(), theirs.err());
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return Ok(false) };
    for name in theirs.names() {
        let (tensor, view) = (ours.read(name).unwrap(), theirs.tensor(name).unwrap());
        prop_assert_eq!(tensor.sizes(), view.shape());
        prop_assert_eq!(tensor.bytes(), view.data());
    }
    Ok(ours.names().count() == theirs.len())
}

#[test]
fn checkpoints_of_transformers_are_read_alike() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    for case in ["llama", "llama_sharded"] {
        let ours = SafetensorsReader::open(&fixtures.join(case)).unwrap();
        let files =
            fs::read_dir(fixtures.join(case)).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
                let name = path.file_name().unwrap().to_string_lossy();
                name.starts_with("model") && name.ends_with(".safetensors")
            });
        let mut names = Vec::new();
        for bytes in files.map(|path| fs::read(path).unwrap()) {
            for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
                assert_eq!(ours.read(&name).unwrap().bytes(), view.data(), "{case}: {name}");
                assert_eq!(ours.info(&name).unwrap().sizes, view.shape(), "{case}: {name}");
                names.push(name);
            }
        }
        names.sort();
        assert_eq!(ours.names().collect::<Vec<_>>(), names, "{case}");
        assert!(!names.is_empty());
    }
}

proptest! {
    #[test]
    fn headers_are_judged_alike(entries in entries(), extra in prop_oneof![9 => Just(0i64), 1 => -2i64..3]) {
        let bytes = with_entries(&entries, extra);
        let whole = entries.iter().all(|(.., begin, end)| (*begin, *end) == (0, 0)) && extra == 0;
        prop_assert_eq!(compare(&bytes)? || !whole, true, "a file without slips must be accepted");
    }

    #[test]
    fn damaged_bytes_are_judged_alike(at in 0usize..150, byte in any::<u8>(), keep in 0usize..150) {
        let good = vec![("F32", vec![2], 0, 0), ("U8", vec![3], 0, 0)];
        let mut bytes = with_entries(&good, 0);
        let at = at % bytes.len();
        bytes[at] = byte;
        // A byte that makes the two names equal is what only we refuse.
        if !String::from_utf8_lossy(&bytes).contains(r#""t1":{"dtype":"F32""#)
            && !String::from_utf8_lossy(&bytes).contains(r#""t0":{"dtype":"U8""#)
        {
            compare(&bytes)?;
            bytes.truncate(keep);
            compare(&bytes)?;
        }
    }
}
