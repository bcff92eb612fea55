//! Names close to one that was not found, for error messages.

/// At most this many names are suggested.
const NUM_SUGGESTED: usize = 3;

/// The names closest to `wanted` by edit distance; those that share less than about half of it are left out.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let limit = wanted.chars().count().div_ceil(2);
    let mut scored: Vec<_> =
        names.map(|name| (distance(wanted, name), name)).filter(|(d, _)| *d <= limit).collect();
    scored.sort_unstable();
    scored.truncate(NUM_SUGGESTED);
    scored.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein distance: insertions, deletions and substitutions that turn one text into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn a_missing_prefix_is_found_and_strangers_are_not() {
        let names = ["model.norm.weight", "model.embed_tokens.weight", "lm_head.weight"];
        assert_eq!(nearest("norm.weight", names.into_iter())[0], "model.norm.weight");
        assert!(nearest("xyz", names.into_iter()).is_empty());
    }
}
