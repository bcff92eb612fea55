//! What is written is read back, is what the `safetensors` package would have written, and is not there before it is whole.

use collegium_core::{DType, HostTensor};
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::*;
use crate::SafetensorsWriter;

type Declared = (String, DType, Vec<usize>);

const ALL: [(DType, Dtype); 10] = [
    (DType::U8, Dtype::U8),
    (DType::F32, Dtype::F32),
    (DType::Bool, Dtype::BOOL),
    (DType::F64, Dtype::F64),
    (DType::Bf16, Dtype::BF16),
    (DType::I64, Dtype::I64),
    (DType::I8, Dtype::I8),
    (DType::F16, Dtype::F16),
    (DType::U32, Dtype::U32),
    (DType::I32, Dtype::I32),
];

fn tensor(dtype: DType, seed: usize) -> HostTensor {
    HostTensor::from_f64(dtype, &[1, 3], &[seed as f64, 1.0, 0.0])
}

/// One tensor of each type, in an order that is not the file's, one of them empty.
fn one_of_each() -> Vec<(String, HostTensor)> {
    let mut all: Vec<_> =
        ALL.iter().enumerate().map(|(i, (dtype, _))| (format!("t{i}"), tensor(*dtype, i))).collect();
    all.push(("empty \"é\"".to_owned(), HostTensor::zeros(DType::F32, &[0, 5])));
    all
}

fn declare(tensors: &[(String, HostTensor)]) -> Vec<Declared> {
    tensors.iter().map(|(name, t)| (name.clone(), t.dtype(), t.sizes().to_vec())).collect()
}

fn write_all(writer: &mut SafetensorsWriter, tensors: &[(String, HostTensor)]) {
    for (name, tensor) in tensors {
        writer.write(name, tensor.bytes()).unwrap();
    }
}

/// Writes into an empty folder.
fn written(tensors: &[(String, HostTensor)], max_shard_bytes: u64) -> tempfile::TempDir {
    let folder = folder(&[]);
    let mut writer = SafetensorsWriter::create(folder.path(), &declare(tensors), max_shard_bytes).unwrap();
    write_all(&mut writer, tensors);
    writer.finish().unwrap();
    folder
}

fn file_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_byte_for_byte_that_of_the_safetensors_package() {
    let tensors = one_of_each();
    let folder = written(&tensors, u64::MAX);
    let views = tensors.iter().map(|(name, t)| {
        let dtype = ALL.iter().find(|(d, _)| *d == t.dtype()).unwrap().1;
        (name, TensorView::new(dtype, t.sizes().to_vec(), t.bytes()).unwrap())
    });
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let expected = serialize(views, Some(metadata)).unwrap();
    assert_eq!(fs::read(folder.path().join("model.safetensors")).unwrap(), expected);
}

#[test]
fn one_file_and_shards_hold_the_same() {
    let tensors = one_of_each();
    for max_shard_bytes in [u64::MAX, 40, 0] {
        let folder = written(&tensors, max_shard_bytes);
        let reader = SafetensorsReader::open(folder.path()).unwrap();
        assert_eq!(reader.names().count(), tensors.len());
        for (name, tensor) in &tensors {
            assert_eq!(reader.read(name).unwrap(), *tensor, "{name}, shards of {max_shard_bytes}");
        }
    }
}

#[test]
fn shards_and_index_are_laid_out_as_hugging_face_does() {
    let tensors: Vec<_> = ["b", "a", "c"].map(|n| (n.to_owned(), tensor(DType::F32, 0))).into();
    let folder = written(&tensors, 24);
    assert_eq!(
        file_names(folder.path()),
        [
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json"
        ]
    );
    let index = r#"{
  "metadata": {
    "total_size": 36
  },
  "weight_map": {
    "a": "model-00001-of-00002.safetensors",
    "b": "model-00001-of-00002.safetensors",
    "c": "model-00002-of-00002.safetensors"
  }
}
"#;
    assert_eq!(fs::read_to_string(folder.path().join("model.safetensors.index.json")).unwrap(), index);
}

#[test]
fn weights_of_every_float_type_become_f32() {
    // More than one chunk, so that positions inside a tensor matter.
    let values: Vec<f64> = (0..70_000).map(|i| f64::from(i % 200) - 100.0).collect();
    let expected: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    let floats = [DType::F16, DType::Bf16, DType::F32, DType::F64];
    let tensors: Vec<_> =
        floats.map(|d| (d.to_string(), HostTensor::from_f64(d, &[2, 35_000], &values))).into();
    let folder = written(&tensors, u64::MAX);
    let reader = SafetensorsReader::open(folder.path()).unwrap();
    for dtype in floats {
        assert_eq!(reader.read_f32(&dtype.to_string(), &[2, 35_000]).unwrap(), expected, "{dtype}");
    }
}

#[test]
fn nothing_is_there_before_it_is_whole() {
    let folder = folder(&[("optimizer.safetensors", b"earlier")]);
    let path = folder.path().join("optimizer.safetensors");
    let tensors = one_of_each();
    let mut writer = SafetensorsWriter::create_file(&path, &declare(&tensors)).unwrap();
    write_all(&mut writer, &tensors[1..]);
    assert_eq!(fs::read(&path).unwrap(), b"earlier");
    let error = writer.finish().unwrap_err();
    assert_eq!(
        message(folder.path(), &error),
        "optimizer.safetensors: tensor `t0` is written not at all; write exactly the tensors the file was created with"
    );
    assert_eq!(file_names(folder.path()), ["optimizer.safetensors"], "the temporary file is gone");
    assert_eq!(fs::read(&path).unwrap(), b"earlier");
}

#[test]
fn files_have_the_permissions_of_ordinary_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = written(&one_of_each(), u64::MAX);
    fs::write(folder.path().join("ordinary"), "").unwrap();
    let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("model.safetensors"), mode("ordinary"));
}

#[test]
fn only_what_was_declared_is_written_and_only_once() {
    let folder = folder(&[]);
    let path = folder.path().join("x.safetensors");
    let declared = [("a".to_owned(), DType::F32, vec![2])];
    let mut writer = SafetensorsWriter::create_file(&path, &declared).unwrap();
    let mut text = |name, bytes: &[u8]| message(folder.path(), &writer.write(name, bytes).unwrap_err());
    assert_eq!(
        text("b", &[0; 8]),
        "x.safetensors: tensor `b` is written but was not declared; write exactly the tensors the file was created with"
    );
    assert_eq!(
        text("a", &[0; 7]),
        "x.safetensors: tensor `a` takes 8 bytes, got 7; write it with the shape and type it was declared with"
    );
    writer.write("a", &[0; 8]).unwrap();
    assert_eq!(
        message(folder.path(), &writer.write("a", &[0; 8]).unwrap_err()),
        "x.safetensors: tensor `a` is written twice; write exactly the tensors the file was created with"
    );
    writer.finish().unwrap();
    assert_eq!(SafetensorsReader::open(&path).unwrap().names().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn names_must_differ_and_sizes_must_be_countable() {
    let folder = folder(&[]);
    let refused = |tensors: &[(&str, usize)]| {
        let tensors: Vec<Declared> =
            tensors.iter().map(|(n, size)| ((*n).to_owned(), DType::F32, vec![*size])).collect();
        SafetensorsWriter::create(folder.path(), &tensors, 10).unwrap_err()
    };
    assert!(matches!(refused(&[("a", 1), ("a", 1)]), CheckpointError::DuplicateTensor { .. }));
    assert!(matches!(refused(&[("__metadata__", 1)]), CheckpointError::DuplicateTensor { .. }));
    assert!(matches!(refused(&[("a", usize::MAX)]), CheckpointError::Overflow { .. }));
    let two = [("a", usize::MAX / 5), ("b", usize::MAX / 5)];
    assert!(matches!(refused(&two), CheckpointError::Overflow { .. }));
    assert!(file_names(folder.path()).is_empty());
}

#[test]
fn a_model_that_cannot_be_replaced_in_one_move_is_in_the_way() {
    let one = [("a".to_owned(), DType::F32, vec![1]), ("b".to_owned(), DType::F32, vec![1])];
    let text = |there: &str, max_shard_bytes| {
        let folder = folder(&[(there, b"")]);
        let result = SafetensorsWriter::create(folder.path(), &one, max_shard_bytes);
        result.err().map(|error| message(folder.path(), &error))
    };
    let expected = |name: &str| {
        Some(format!(
            "{name} is in the way and cannot be replaced in one move; remove that model or choose another folder"
        ))
    };
    assert_eq!(text("model.safetensors.index.json", 100), expected("model.safetensors.index.json"));
    assert_eq!(text("model.safetensors.index.json", 4), expected("model.safetensors.index.json"));
    assert_eq!(text("model.safetensors", 4), expected("model.safetensors"));
    assert_eq!(text("model.safetensors", 100), None);
}

#[test]
fn an_unwritable_folder_is_named() {
    let folder = folder(&[("file", b"")]);
    let error = SafetensorsWriter::create(&folder.path().join("file"), &[], 1).unwrap_err();
    let text = message(folder.path(), &error);
    assert!(text.starts_with("cannot write file/model.safetensors: "), "{text}");
    assert!(text.contains("MB free there); nothing was left half written"), "{text}");
}
