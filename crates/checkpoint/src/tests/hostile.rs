//! One hostile input for each thing a checkpoint to be read can have wrong, and the words the user sees.

use super::*;

/// What opening a `model.safetensors` with these bytes says.
fn of_bytes(bytes: &[u8]) -> String {
    refusal(&[("model.safetensors", bytes)])
}

fn of_header(header: &str, num_data_bytes: usize) -> String {
    of_bytes(&file(header, num_data_bytes))
}

#[test]
fn a_file_too_short_for_a_length_is_truncated() {
    assert_eq!(
        of_bytes(&[1, 2, 3]),
        "model.safetensors: the header needs 8 bytes but the file has 3; it is truncated, fetch or copy it again"
    );
}

#[test]
fn a_file_cut_in_its_header_is_truncated() {
    let whole = file(r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 4);
    assert_eq!(
        of_bytes(&whole[..30]),
        "model.safetensors: the header needs 61 bytes but the file has 30; it is truncated, fetch or copy it again"
    );
}

#[test]
fn a_file_cut_in_its_data_names_the_tensor() {
    assert_eq!(
        of_header(r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 3),
        "model.safetensors: tensor `a` ends at byte 4 of the data but the file holds 3; it is truncated, fetch or copy it \
         again"
    );
}

#[test]
fn hostile_header_lengths_are_refused_before_memory_is_taken() {
    for length in [u64::MAX, u64::MAX - 7, 100_000_001] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(b"{}");
        assert_eq!(
            of_bytes(&bytes),
            format!(
                "model.safetensors: the header claims {length} bytes, the format allows 100000000; this is not a \
                 safetensors file, or it is damaged"
            )
        );
    }
}

#[test]
fn a_header_must_be_the_json_of_the_format() {
    let cases = [
        ("[]", "the header is not valid, invalid type: sequence, expected a JSON object at line 1 column 0"),
        ("", "the header is not valid, EOF while parsing a value at line 1 column 0"),
        (r#"{"a":"#, "the header is not valid, EOF while parsing a value at line 1 column 5"),
        (
            r#"{"a":3}"#,
            "the entry `a` of the header is not valid, invalid type: integer `3`, expected an object with dtype, shape and data_offsets",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#,
            "the entry `a` of the header is not valid, invalid value: integer `-1`, expected usize",
        ),
        (
            r#"{"__metadata__":{"format":1}}"#,
            "the entry `__metadata__` of the header is not valid, invalid type: integer `1`, expected a string",
        ),
    ];
    for (header, expected) in cases {
        let given = of_header(header, 0);
        assert!(given.contains(expected), "{header}: {given}");
        assert!(given.ends_with("; the file is damaged, fetch or write it again"), "{given}");
    }
}

#[test]
fn a_header_must_be_utf8() {
    let mut bytes = file("{  }", 0);
    bytes[9] = 0xff;
    assert_eq!(
        of_bytes(&bytes),
        "model.safetensors: the header is not valid, invalid utf-8 sequence of 1 bytes from index 1; the file is damaged, \
         fetch or write it again"
    );
}

#[test]
fn nesting_without_end_does_not_exhaust_the_stack() {
    let header = format!(r#"{{"a":{}"#, "[".repeat(1_000_000));
    assert!(of_header(&header, 0).contains("the header is not valid"));
    let header = format!(r#"{{"a":{{"shape":{}{}}}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(of_header(&header, 0).contains("the entry `a` of the header is not valid"));
}

#[test]
fn a_name_twice_is_refused() {
    let entry = r#""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#;
    assert_eq!(
        of_header(&format!("{{{entry},{entry}}}"), 1),
        "model.safetensors: tensor `a` is listed twice; every tensor must have its own name"
    );
}

#[test]
fn an_unknown_element_type_is_named() {
    assert_eq!(
        of_header(r#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1),
        "model.safetensors: tensor `a` has element type F8_E4M3, known are I64, F64, F32, U32, I32, BF16, F16, I8, U8, BOOL; \
         convert the checkpoint to one of them"
    );
}

#[test]
fn sizes_beyond_64_bits_are_refused() {
    for shape in ["[9223372036854775808,2]", "[4611686018427387904]"] {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,0]}}}}"#);
        let text = of_header(&header, 0);
        assert!(text.starts_with("model.safetensors: tensor `a` of shape ["), "{text}");
        assert!(text.ends_with("is larger than any file; its header is damaged"), "{text}");
    }
}

#[test]
fn a_range_must_hold_the_shape() {
    for range in ["[0,23]", "[0,25]", "[24,0]", "[18446744073709551615,23]"] {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":[2,3],"data_offsets":{range}}}}}"#);
        let range = range[1..range.len() - 1].replace(',', "..");
        assert_eq!(
            of_header(&header, 25),
            format!(
                "model.safetensors: tensor `a` (f32[2, 3]) takes 24 bytes but its range is {range}; the header is damaged"
            )
        );
    }
}

#[test]
fn a_range_far_out_of_the_file_is_refused() {
    assert_eq!(
        of_header(r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4294967296,4294967300]}}"#, 8),
        "model.safetensors: tensor `a` ends at byte 4294967300 of the data but the file holds 8; it is truncated, fetch or \
         copy it again"
    );
}

#[test]
fn overlapping_ranges_name_both_tensors() {
    let a = r#""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#;
    let b = r#""b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}"#;
    assert_eq!(
        of_header(&format!("{{{b},{a}}}"), 6),
        "model.safetensors: tensors `a` and `b` overlap at byte 2 of the data; the header is damaged"
    );
}

#[test]
fn bytes_of_no_tensor_are_refused() {
    let a = r#""a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#;
    let b = r#""b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}"#;
    let expected = |range: &str| {
        format!(
            "model.safetensors: bytes {range} of the data belong to no tensor; the file is damaged, fetch or write it again"
        )
    };
    assert_eq!(of_header(&format!("{{{a},{b}}}"), 6), expected("2..4"));
    assert_eq!(of_header(&format!("{{{a}}}"), 3), expected("2..3"));
}

/// A reader of one file with a float tensor `model.norm.weight` and an integer tensor `ids`.
fn two_tensors() -> (tempfile::TempDir, SafetensorsReader) {
    let header = r#"{"model.norm.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"ids":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}}"#;
    let folder = folder(&[("model.safetensors", &file(header, 12))]);
    let reader = SafetensorsReader::open(&folder.path().join("model.safetensors")).unwrap();
    (folder, reader)
}

#[test]
fn a_missing_tensor_suggests_the_nearest() {
    let (folder, reader) = two_tensors();
    let text = |name| message(folder.path(), &reader.read(name).unwrap_err());
    assert_eq!(
        text("model.norms.weight"),
        "model.safetensors: no tensor `model.norms.weight`; did you mean `model.norm.weight`?"
    );
    assert_eq!(text("lm_head"), "model.safetensors: no tensor `lm_head`; it belongs to another model");
    assert_eq!(text("idx"), message(folder.path(), &reader.info("idx").unwrap_err()));
}

#[test]
fn a_wrong_shape_says_both() {
    let (folder, reader) = two_tensors();
    assert_eq!(
        message(folder.path(), &reader.read_f32("model.norm.weight", &[2, 1]).unwrap_err()),
        "model.safetensors: tensor `model.norm.weight` must have shape [2, 1], got [2]; the checkpoint belongs to another \
         model or its config.json was edited"
    );
}

#[test]
fn integers_are_no_weights() {
    let (folder, reader) = two_tensors();
    assert_eq!(
        message(folder.path(), &reader.read_f32("ids", &[1]).unwrap_err()),
        "model.safetensors: tensor `ids` must hold floating-point numbers, got i32; this is no weight of the model"
    );
}

#[test]
fn a_file_shortened_after_opening_is_an_error() {
    let (folder, reader) = two_tensors();
    let path = folder.path().join("model.safetensors");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    assert_eq!(
        message(folder.path(), &reader.read("ids").unwrap_err()),
        "cannot read model.safetensors: failed to fill whole buffer; check the path and its permissions"
    );
}

#[test]
fn a_folder_without_safetensors_is_refused() {
    let folder = folder(&[("pytorch_model.bin", b"")]);
    assert_eq!(
        SafetensorsReader::open(folder.path()).unwrap_err().to_string(),
        format!(
            "{}: no safetensors in this folder; name a .safetensors file, or a folder with model.safetensors or \
             model.safetensors.index.json",
            folder.path().display()
        )
    );
    let absent = SafetensorsReader::open(&folder.path().join("absent")).unwrap_err();
    assert!(matches!(absent, CheckpointError::Read { .. }), "{absent}");
}

/// What opening a folder with this index and one shard `one.safetensors` that holds `a` says.
fn of_index(index: &str) -> String {
    let shard = file(r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1);
    refusal(&[("model.safetensors.index.json", index.as_bytes()), ("one.safetensors", &shard)])
}

#[test]
fn an_index_must_be_the_json_of_the_format() {
    assert_eq!(
        of_index(r#"{"metadata":{}}"#),
        "model.safetensors.index.json: the index is not valid, missing field `weight_map` at line 1 column 15; the file is \
         damaged, fetch or write it again"
    );
    assert_eq!(
        of_index(r#"{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}"#),
        "model.safetensors.index.json: tensor `a` is listed twice; every tensor must have its own name"
    );
}

#[test]
fn an_index_must_name_files_that_are_there() {
    assert_eq!(
        of_index(r#"{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}"#),
        "model.safetensors.index.json: tensor `b` is in `two.safetensors`, which is not there; fetch that file too"
    );
}

#[test]
fn an_index_must_not_reach_outside_its_folder() {
    for elsewhere in ["../one.safetensors", "/etc/passwd", "sub/one.safetensors", "..", ""] {
        assert_eq!(
            of_index(&format!(r#"{{"weight_map":{{"a":"{elsewhere}"}}}}"#)),
            format!(
                "model.safetensors.index.json: `{elsewhere}` is not the name of a file in the same folder; the index is \
                 damaged or hostile"
            )
        );
    }
}

#[test]
fn an_index_must_name_the_right_file() {
    assert_eq!(
        of_index(r#"{"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}"#),
        "model.safetensors.index.json: tensor `b` should be in `one.safetensors` but is not; index and files are of \
         different checkpoints"
    );
}
