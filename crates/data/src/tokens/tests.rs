use super::*;
use crate::{Batch, BatchStream, NO_TARGET, SequentialBatches, TokenBatches};
use proptest::prelude::*;
use std::{fs, sync::Arc};

fn prepare(folder: &Path, tokenizer: &Tokenizer) -> Result<TokenFile, DataError> {
    let sources = Sources::find(&[folder.join("data")], "text")?;
    TokenFile::prepare(&sources, tokenizer, &folder.join("cache"), &mut |_| {})
}

/// A folder whose `data` has one file of these documents.
fn folder_of(documents: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let lines: Vec<String> =
        documents.iter().map(|text| serde_json::json!({"text": text}).to_string()).collect();
    fs::write(folder.path().join("data/a.jsonl"), lines.join("\n")).unwrap();
    folder
}

fn tokens_of(documents: &[String]) -> (tempfile::TempDir, Arc<TokenFile>) {
    let folder = folder_of(documents);
    let file = prepare(folder.path(), &Tokenizer::bytes()).unwrap();
    (folder, Arc::new(file))
}

/// Documents that can be told apart: the number and some letters.
fn numbered(lengths: &[usize]) -> Vec<String> {
    lengths
        .iter()
        .enumerate()
        .map(|(i, &len)| format!("{i}:{}", "abcdefg".repeat(9)[..len].to_owned()))
        .collect()
}

/// The documents whose pieces are in the batches, put together again by their windows and checked on the way:
/// positions, targets and padding must be as promised.
fn pieces(batches: &[Batch]) -> Vec<Vec<i32>> {
    let mut pieces: Vec<Vec<i32>> = Vec::new();
    for batch in batches {
        for i in 0..batch.tokens.len() {
            if batch.positions[i] == 0 {
                pieces.push(Vec::new());
            }
            let piece = pieces.last_mut().unwrap();
            assert_eq!(batch.positions[i] as usize, piece.len());
            piece.push(batch.tokens[i]);
            let row_goes_on = (i + 1) % batch.seq != 0;
            if row_goes_on && batch.segments[i] == batch.segments[i + 1] && batch.targets[i] != NO_TARGET {
                assert_eq!(batch.targets[i], batch.tokens[i + 1]);
            }
            if row_goes_on && batch.segments[i] != batch.segments[i + 1] {
                assert_eq!(batch.segments[i] + 1, batch.segments[i + 1]);
                assert_eq!(batch.positions[i + 1], 0);
            }
        }
    }
    let padding = |piece: &Vec<i32>| piece.iter().all(|&token| token == 256);
    pieces.retain(|piece| !padding(piece));
    pieces
}

fn all_tokens(pieces: &[Vec<i32>]) -> Vec<i32> {
    let mut tokens: Vec<i32> = pieces.concat();
    tokens.sort_unstable();
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn an_epoch_has_every_token_once_and_counts_every_target(
        lengths in prop::collection::vec(0usize..60, 1..40), seq in 2usize..20, batch in 1usize..5
    ) {
        let documents = numbered(&lengths);
        let (_folder, file) = tokens_of(&documents);
        let batches: Vec<Batch> =
            SequentialBatches::new(file.all(), batch, seq).unwrap().map(Result::unwrap).collect();
        let bytes: Vec<i32> = documents.iter().flat_map(|text| text.bytes().map(i32::from)).collect();
        let seen = all_tokens(&pieces(&batches));
        let mut expected = bytes.clone();
        expected.sort_unstable();
        let letters: Vec<i32> = seen.into_iter().filter(|&token| token != 256).collect();
        prop_assert_eq!(letters, expected);
        // Every token but the first of each document is a target exactly once, its end included.
        let targets: usize = batches.iter().map(Batch::num_targets).sum();
        prop_assert_eq!(targets, bytes.len());
    }

    #[test]
    fn resuming_continues_exactly(
        lengths in prop::collection::vec(1usize..60, 2..20), seed: u64, before in 0usize..12, batch in 1usize..4
    ) {
        let (_folder, file) = tokens_of(&numbered(&lengths));
        let open = |batch| TokenBatches::new(file.all(), seed, batch, 16).unwrap();
        let mut whole = open(batch);
        (0..before).for_each(|_| drop(whole.next_batch().unwrap()));
        let saved = serde_json::to_string(&whole.state()).unwrap();
        let mut resumed = open(batch);
        resumed.restore(&serde_json::from_str(&saved).unwrap()).unwrap();
        for _ in 0..6 {
            prop_assert_eq!(whole.next_batch().unwrap(), resumed.next_batch().unwrap());
        }
        prop_assert_eq!(whole.state(), resumed.state());
        // Rows do not depend on how many make a batch.
        let (mut twice, mut once) = (open(2 * batch), open(batch));
        let double = twice.next_batch().unwrap();
        prop_assert_eq!(once.next_batch().unwrap(), double.share(0, 2).unwrap());
        prop_assert_eq!(once.next_batch().unwrap(), double.share(1, 2).unwrap());
    }

    #[test]
    fn the_halves_share_nothing_and_miss_nothing(
        lengths in prop::collection::vec(1usize..60, 1..60), fraction in 0.01f64..0.9, seed: u64
    ) {
        let (_folder, file) = tokens_of(&numbered(&lengths));
        let split = file.split(fraction, seed).unwrap();
        let again = file.split(fraction, seed).unwrap();
        prop_assert_eq!(&split.validation.spans, &again.validation.spans);
        let mut spans = [&split.train.spans[..], &split.validation.spans[..]].concat();
        spans.sort_by_key(|span| span.start);
        prop_assert_eq!(spans[0].start, 0);
        prop_assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
        prop_assert_eq!(spans.last().unwrap().end, file.num_tokens());
    }
}

#[test]
fn epochs_differ_and_repeat_by_seed() {
    let (_folder, file) = tokens_of(&numbered(&[20; 50]));
    let epoch = |seed, epochs: usize| {
        let mut stream = TokenBatches::new(file.all(), seed, 1, 24).unwrap();
        let rows = stream.rows_per_epoch() as usize;
        (0..rows * epochs).map(|_| stream.next_batch().unwrap()).skip(rows * (epochs - 1)).collect::<Vec<_>>()
    };
    assert_eq!(epoch(1, 1), epoch(1, 1));
    assert_ne!(epoch(1, 1), epoch(2, 1));
    assert_ne!(epoch(1, 1), epoch(1, 2));
    assert_eq!(all_tokens(&pieces(&epoch(1, 1))), all_tokens(&pieces(&epoch(1, 2))));
}

#[test]
fn one_document_is_split_by_position() {
    let (_folder, file) = tokens_of(&["x".repeat(999)]);
    let split = file.split(0.1, 7).unwrap();
    assert_eq!((split.train.num_tokens(), split.validation.num_tokens()), (900, 100));
    assert_eq!(split.validation.spans[0].start, 900);
}

#[test]
fn both_halves_get_a_document_where_there_are_two() {
    let (_folder, file) = tokens_of(&numbered(&[9, 9]));
    for fraction in [0.5, 0.99] {
        let split = file.split(fraction, 3).unwrap();
        assert_eq!((split.train.num_documents(), split.validation.num_documents()), (1, 1));
    }
}

#[test]
fn impossible_splits_are_refused() {
    let (_folder, file) = tokens_of(&["x".into()]);
    let refused = |fraction| file.split(fraction, 0).unwrap_err().to_string();
    assert_eq!(refused(1.0), "validation fraction must be at least 0 and less than 1, got 1");
    assert!(refused(f64::NAN).ends_with("got NaN"));
    assert!(refused(0.99).starts_with("the training half of the split is empty (1 documents"));
    assert_eq!(file.split(0.0, 0).unwrap().validation.num_tokens(), 0);
}

#[test]
fn unchanged_sources_are_not_read_again_and_changed_ones_are() {
    let folder = folder_of(&numbered(&[5, 6]));
    let bytes = Tokenizer::bytes();
    let first = prepare(folder.path(), &bytes).unwrap();
    assert!(!first.was_reused());
    let second = prepare(folder.path(), &bytes).unwrap();
    assert!(second.was_reused());
    assert_eq!(first.fingerprint(), second.fingerprint());

    fs::write(folder.path().join("data/a.jsonl"), "{\"text\":\"other\"}").unwrap();
    let third = prepare(folder.path(), &bytes).unwrap();
    assert!(!third.was_reused());
    assert_eq!(third.path(), first.path());
    assert_eq!((third.num_documents(), third.num_tokens()), (1, 6));
    assert_ne!(first.fingerprint(), third.fingerprint());
    assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn another_tokenizer_has_a_file_of_its_own() {
    let folder = folder_of(&numbered(&[50, 60, 40]));
    let learned = Tokenizer::train_bpe([Ok("abcdefgabcdefg abcdefg".to_owned())], 270).unwrap();
    let bytes = prepare(folder.path(), &Tokenizer::bytes()).unwrap();
    let merged = Arc::new(prepare(folder.path(), &learned).unwrap());
    assert_ne!(bytes.path(), merged.path());
    assert!(merged.num_tokens() < bytes.num_tokens() / 2);
    assert!(prepare(folder.path(), &learned).unwrap().was_reused());
    let batch = SequentialBatches::new(merged.all(), 1, 64).unwrap().next().unwrap().unwrap();
    let first: Vec<u32> =
        batch.tokens.iter().zip(&batch.segments).filter(|&(_, &s)| s == 0).map(|(&t, _)| t as u32).collect();
    assert_eq!(learned.decode(&first).unwrap(), numbered(&[50])[0]);
}

#[test]
fn wide_ids_return_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.tokens");
    let ids = [0, 65_535, 65_536, 4_000_000_000];
    build::write_for_test(&path, 70_000, &[&ids]);
    let file = TokenFile::open(&path).unwrap();
    let mut read = Vec::new();
    file.read(1, 4, &mut read).unwrap();
    assert_eq!(read, ids[1..]);
}

#[test]
fn damaged_files_are_found_and_made_again() {
    let folder = folder_of(&numbered(&[30; 20]));
    let bytes = Tokenizer::bytes();
    let good = prepare(folder.path(), &bytes).unwrap();
    let whole = fs::read(good.path()).unwrap();
    let damage = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = whole.clone();
        change(&mut content);
        fs::write(good.path(), content).unwrap();
        let reason = TokenFile::open(good.path()).unwrap_err().to_string();
        let again = prepare(folder.path(), &bytes).unwrap();
        assert!(!again.was_reused());
        assert_eq!(again.fingerprint(), good.fingerprint());
        reason
    };
    assert!(damage(&|file| file.truncate(10)).contains("it has 10 bytes, less than a header"));
    assert!(damage(&|file| file.truncate(200)).contains("its header and its size of 200 bytes disagree"));
    assert!(damage(&|file| file[0] = b'X').contains("does not begin with COLLTOKS"));
    assert!(damage(&|file| file[8] = 9).contains("its version is 9"));
    assert!(damage(&|file| file[12] = 3).contains("disagree"));
    assert!(damage(&|file| file[16..32].fill(0xff)).contains("disagree"));
    assert!(damage(&|file| file[100] ^= 1).contains("its checksum is wrong"));
    assert!(damage(&|file| *file.last_mut().unwrap() ^= 1).contains("its checksum is wrong"));
}

#[test]
fn data_without_text_and_wrong_shapes_are_refused() {
    let folder = folder_of(&[String::new(), String::new()]);
    let refused = prepare(folder.path(), &Tokenizer::bytes()).unwrap_err().to_string();
    assert!(
        refused.starts_with("no text in ") && refused.contains("a.jsonl; give at least one"),
        "{refused}"
    );
    assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 0, "nothing is left half written");

    let (_folder, file) = tokens_of(&numbered(&[5]));
    let refused = |batch, seq| TokenBatches::new(file.all(), 0, batch, seq).err().unwrap().to_string();
    assert_eq!(refused(0, 8), "batch size must be at least 1, got 0");
    assert_eq!(refused(1, 1), "sequence length must be at least 2, got 1");
    let mut stream = TokenBatches::new(file.all(), 0, 1, 8).unwrap();
    let other = TokenBatches::new(file.all(), 0, 1, 9).unwrap().state();
    assert!(stream.restore(&other).unwrap_err().to_string().contains("belongs to other data"));
}

#[test]
fn an_unwritable_folder_is_named() {
    let folder = folder_of(&numbered(&[5]));
    fs::write(folder.path().join("cache"), "a file where the folder should be").unwrap();
    let refused = prepare(folder.path(), &Tokenizer::bytes()).unwrap_err().to_string();
    assert!(refused.starts_with("cannot write ") && refused.contains("cache/"), "{refused}");
}

#[test]
fn progress_reaches_the_end() {
    let folder = folder_of(&numbered(&[30; 20]));
    let sources = Sources::find(&[folder.path().join("data")], "text").unwrap();
    let mut last = Progress::default();
    TokenFile::prepare(&sources, &Tokenizer::bytes(), &folder.path().join("cache"), &mut |p| last = p)
        .unwrap();
    assert_eq!(last.bytes_done, last.bytes_total);
    assert_eq!(last.documents, 20);
    assert!(last.tokens > 600);
}
