//! Names close to one that was not found, for error messages.

use strsim::levenshtein;

/// At most this many names are suggested.
const NUM_SUGGESTED: usize = 3;

/// The names closest to `wanted` by edit distance; those that share less than about half of it are left out.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let limit = wanted.chars().count().div_ceil(2);
    let mut scored: Vec<_> =
        names.map(|name| (levenshtein(wanted, name), name)).filter(|(d, _)| *d <= limit).collect();
    scored.sort_unstable();
    scored.truncate(NUM_SUGGESTED);
    scored.into_iter().map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        assert_eq!(levenshtein("kitten", "sitting"), 3);
        assert_eq!(levenshtein("", "abc"), 3);
        assert_eq!(levenshtein("abc", "abc"), 0);
    }

    #[test]
    fn a_missing_prefix_is_found_and_strangers_are_not() {
        let names = ["model.norm.weight", "model.embed_tokens.weight", "lm_head.weight"];
        assert_eq!(nearest("norm.weight", names.into_iter())[0], "model.norm.weight");
        assert!(nearest("xyz", names.into_iter()).is_empty());
    }
}
