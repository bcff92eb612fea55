use super::*;
use std::fs;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(paths: &[PathBuf], field: &str) -> Result<Vec<String>, DataError> {
    Sources::find(paths, field)?.documents().collect()
}

/// What the user sees for one file of this name and content, with the folder's path left out.
fn refusal(name: &str, content: &[u8], field: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let message = read(&[path], field).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn files_and_folders_give_their_documents_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("b/deep")).unwrap();
    fs::create_dir(root.join(".cache")).unwrap();
    fs::write(root.join("c.txt"), "\u{feff}last\n").unwrap();
    fs::write(root.join("a.jsonl"), "{\"text\":\"x\"}\n\n{\"text\":null}\n{\"n\":1,\"text\":\"\\u00fc\"}")
        .unwrap();
    fs::write(root.join("b/deep/one.txt"), "one").unwrap();
    fs::write(root.join("b/empty.TXT"), "").unwrap();
    fs::write(root.join("b/readme.md"), "not data").unwrap();
    fs::write(root.join(".cache/hidden.txt"), "hidden").unwrap();
    let all = read(&[root.into()], "text").unwrap();
    assert_eq!(all, ["x", "ü", "one", "last\n"]);
    let named = read(&[root.join("c.txt"), root.join("a.jsonl")], "text").unwrap();
    assert_eq!(named, ["last\n", "x", "ü"]);
}

#[test]
fn every_codec_gives_the_same_rows() {
    let text = |row: usize| format!("row {row}: über {}", "word ".repeat(row % 3));
    let expected: Vec<String> = (0..600).filter(|row| !matches!(row % 50, 7 | 9)).map(text).collect();
    for codec in ["snappy", "gzip", "zstd", "none"] {
        let sources = Sources::find(&[fixture(&format!("{codec}.parquet"))], "text").unwrap();
        let mut documents = sources.documents();
        let read: Vec<String> = documents.by_ref().map(Result::unwrap).collect();
        assert_eq!(read, expected, "{codec}");
        assert_eq!(documents.bytes_done(), fs::metadata(&sources.files()[0]).unwrap().len());
    }
    assert_eq!(read(&[fixture("required.parquet")], "content").unwrap(), ["one", "two"]);
}

#[test]
fn wrong_text_is_placed() {
    assert_eq!(
        refusal("a.txt", b"fine\nso\nna\xefve\n", "text"),
        "a.txt, line 3: invalid UTF-8 at byte 10 of the file; convert the file to UTF-8 (for example `iconv -f latin1 \
         -t utf-8`)"
    );
    assert!(
        refusal("a.jsonl", b"{\"text\":\"ok\"}\n{\"text\":\"\xff\"}", "text")
            .contains("line 2: invalid UTF-8")
    );
}

#[test]
fn wrong_records_are_placed() {
    let line = b"{\"text\":\"ok\",\"n\":5}\n";
    assert_eq!(
        refusal("a.jsonl", line, "body"),
        "a.jsonl, line 1: no string field `body`, the fields are n, text; choose another with --field"
    );
    assert_eq!(
        refusal("a.jsonl", line, "n"),
        "a.jsonl, line 1: no string field `n`, it holds a number; choose another with --field"
    );
    let broken = refusal("a.jsonl", b"{\"text\":\"ok\"}\n{\"text\":\"o", "text");
    assert!(broken.starts_with("a.jsonl, line 2: not a JSON object (EOF while parsing a string"), "{broken}");
    assert!(refusal("a.jsonl", b"[1]", "text").contains("line 1: not a JSON object (invalid type: sequence"));
}

#[test]
fn wrong_parquet_is_placed() {
    let refused = |name: &str, field: &str| read(&[fixture(name)], field).unwrap_err().to_string();
    let columns = refused("snappy.parquet", "body");
    assert!(
        columns.contains("no string column `body`, the columns are id, text, tags.list.element;"),
        "{columns}"
    );
    assert!(refused("snappy.parquet", "id").contains("no string column `id`"));
    assert!(refused("snappy.parquet", "tags.list.element").contains("no string column"));
    let latin = refused("not_utf8.parquet", "text");
    assert!(latin.contains("not_utf8.parquet, row 1: invalid UTF-8, "), "{latin}");
    let codec = refused("brotli.parquet", "text");
    assert!(codec.contains("row 0:") && codec.to_lowercase().contains("brotli"), "{codec}");

    let whole = fs::read(fixture("gzip.parquet")).unwrap();
    assert!(refusal("cut.parquet", &whole[..whole.len() / 2], "text").contains("cut.parquet, row 0:"));
    assert!(refusal("not.parquet", b"PAR1", "text").contains("the file is damaged"));
    let mut flipped = whole;
    flipped[200..1200].fill(0x5a);
    assert!(refusal("flipped.parquet", &flipped, "text").contains("flipped.parquet, row "));
}

#[test]
fn missing_things_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let refused = |path: PathBuf| read(&[path], "text").unwrap_err().to_string();
    let gone = refused(root.join("gone.txt"));
    assert!(gone.starts_with("cannot read ") && gone.contains("gone.txt: No such file"), "{gone}");
    assert!(refused(root.into()).contains("no .txt, .jsonl or .parquet file in this folder"));
    fs::write(root.join("a.csv"), "").unwrap();
    assert!(refused(root.join("a.csv")).contains("a.csv: data files must end in .txt, .jsonl or .parquet"));
    assert!(read(&[], "text").unwrap_err().to_string().starts_with("no text in an empty list of files"));
}

#[test]
fn reading_ends_after_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), "1\n{\"text\":\"x\"}").unwrap();
    let sources = Sources::find(&[folder.path().into()], "text").unwrap();
    assert_eq!(sources.documents().count(), 1);
}
