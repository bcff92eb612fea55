//! Reads the keys of a `config.json` and keeps account: every key is honoured, known to be harmless, refused, or warned of.
//!
//! Readers return `None` for a value that cannot be, and note why. So a family reads on with whatever it likes, and the user
//! sees everything that is wrong at once.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Keys that change nothing that is computed here: bookkeeping, and settings of generation or of classification heads.
const HARMLESS: &[&str] = &[
    "_attn_implementation_autoset",
    "_commit_hash",
    "_experts_implementation",
    "_name_or_path",
    "architectures",
    "chunk_size_feed_forward",
    "do_sample",
    "dtype",
    "id2label",
    "is_decoder",
    "is_encoder_decoder",
    "label2id",
    "max_length",
    "min_length",
    "model_type",
    "name_or_path",
    "output_attentions",
    "output_hidden_states",
    "pretraining_tp",
    "problem_type",
    "repetition_penalty",
    "return_dict",
    "task_specific_params",
    "temperature",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "transformers_version",
    "use_cache",
];

/// Keys that change what is computed in ways this project does not have, whatever the family.
const REFUSED: &[(&str, &str)] = &[
    ("quantization_config", "convert the checkpoint to bfloat16 or float32 first"),
    ("cross_attention_hidden_size", "only decoders are supported"),
    ("per_layer_config", "every layer must have the same sizes"),
    ("pruned_heads", "every layer must have all its heads"),
];

/// Largest size of anything; products of two fit 64 bits.
const MAX_SIZE: usize = i32::MAX as usize;

/// The keys of a configuration, with what was found wrong so far.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    used: BTreeSet<String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Fields<'a> {
    /// The keys of `object`.
    pub fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, used: BTreeSet::new(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// Whether the key is there, be it null.
    pub fn has(&self, key: &str) -> bool {
        self.object.contains_key(key)
    }

    /// The value of a key that is there and not null.
    pub fn get(&mut self, key: &str) -> Option<&'a Value> {
        self.used.insert(key.to_string());
        self.object.get(key).filter(|v| !v.is_null())
    }

    /// Records something that is wrong.
    pub fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Records something the user should know.
    pub fn warning(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Whether nothing is wrong so far.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn typed<T>(&mut self, key: &str, wanted: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.get(key)?;
        let found = read(value);
        if found.is_none() {
            self.problem(format!("{key} is {value}; it must be {wanted}"));
        }
        found
    }

    /// A whole number above 0, where there is one.
    pub fn size(&mut self, key: &str) -> Option<usize> {
        self.size_up_to(key, MAX_SIZE)
    }

    /// A whole number from 1 to `limit`, where there is one.
    pub fn size_up_to(&mut self, key: &str, limit: usize) -> Option<usize> {
        self.typed(key, &format!("a whole number from 1 to {limit}"), |v| {
            v.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=limit).contains(n))
        })
    }

    /// Notes that a key must be there, where it is not.
    pub fn require(&mut self, key: &str) {
        if self.get(key).is_none() {
            self.problem(format!("{key} is missing; the model cannot be built without it"));
        }
    }

    /// A whole number above 0 that must be there; with a problem recorded, 1 where it is not.
    pub fn required_size(&mut self, key: &str) -> usize {
        self.require(key);
        self.size(key).unwrap_or(1)
    }

    /// As [`required_size`](Self::required_size), for a size that goes under two names.
    pub fn required_size_either(&mut self, name: &str, other: &str) -> usize {
        match (self.size(name), self.size(other)) {
            (Some(a), Some(b)) if a != b => {
                self.problem(format!("{name} is {a} but {other} is {b}; they are one thing, keep one"));
                a
            }
            (Some(size), _) | (None, Some(size)) => size,
            (None, None) if self.get(other).is_some() => 1,
            (None, None) => self.required_size(name),
        }
    }

    /// A whole number that may be 0.
    pub fn count(&mut self, key: &str) -> Option<usize> {
        self.typed(key, "a whole number, 0 or above", |v| v.as_u64().and_then(|n| usize::try_from(n).ok()))
    }

    /// A finite number above 0.
    pub fn positive(&mut self, key: &str) -> Option<f64> {
        self.typed(key, "a number above 0", |v| v.as_f64().filter(|n| n.is_finite() && *n > 0.0))
    }

    /// A finite number, 0 or above.
    pub fn non_negative(&mut self, key: &str) -> Option<f64> {
        self.typed(key, "a number, 0 or above", |v| v.as_f64().filter(|n| n.is_finite() && *n >= 0.0))
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// Text.
    pub fn string(&mut self, key: &str) -> Option<String> {
        self.typed(key, "text", |v| v.as_str().map(str::to_string))
    }

    /// A JSON object.
    pub fn object(&mut self, key: &str) -> Option<&'a Map<String, Value>> {
        self.typed(key, "an object", Value::as_object)
    }

    /// A list of whole numbers.
    pub fn sizes(&mut self, key: &str) -> Option<Vec<usize>> {
        self.typed(key, "a list of whole numbers", |v| {
            v.as_array()?.iter().map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok())).collect()
        })
    }

    /// A list of texts.
    pub fn strings(&mut self, key: &str) -> Option<Vec<&'a str>> {
        self.typed(key, "a list of texts", |v| v.as_array()?.iter().map(Value::as_str).collect())
    }

    /// A token id; of a list, the first. Some published files have -1 for none.
    pub fn token(&mut self, key: &str) -> Option<u32> {
        let value = self.get(key)?;
        if value.as_array().is_some_and(|list| list.len() > 1) {
            self.warning(format!("{key} = {value}: only the first counts here"));
        }
        if value.as_i64() == Some(-1) {
            self.warning(format!("{key} = -1 is taken for none"));
            return None;
        }
        let first = |v: &'a Value| v.as_array().map_or(Some(v), |list| list.first()).and_then(Value::as_u64);
        self.typed(key, "a token id", |v| first(v).and_then(|n| u32::try_from(n).ok()))
    }

    /// Refuses a key unless it is absent, null, or `allowed`.
    pub fn only(&mut self, key: &str, allowed: &Value, remedy: &str) {
        if let Some(value) = self.get(key) {
            let same_number = value.as_f64().is_some() && value.as_f64() == allowed.as_f64();
            if value != allowed && !same_number {
                self.problem(format!("{key} = {value} is not supported; {remedy}"));
            }
        }
    }

    /// Everything wrong, and a warning for every key that nobody asked for.
    pub fn finish(mut self) -> (Vec<String>, Vec<String>) {
        for (key, remedy) in REFUSED {
            if let Some(value) = self.get(key).filter(|v| !is_empty(v)) {
                self.problem(format!("{key} = {value} is not supported; {remedy}"));
            }
        }
        let unknown = self
            .object
            .iter()
            .filter(|(k, v)| !self.used.contains(*k) && !HARMLESS.contains(&k.as_str()) && !v.is_null());
        self.warnings.extend(unknown.map(|(k, v)| format!("{k} = {v} is unknown here and has no effect")));
        (self.problems, self.warnings)
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
