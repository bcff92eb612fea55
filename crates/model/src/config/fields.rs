//! Reads the keys of a `config.json` and keeps account: every key is honoured, known to be harmless, refused, or warned of.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Keys that change nothing here.
const HARMLESS: &[&str] = &[
    "_name_or_path",
    "architectures",
    "dtype",
    "model_type",
    "output_router_logits",
    "pad_token_id",
    "pretraining_tp",
    "router_jitter_noise",
    "torch_dtype",
    "transformers_version",
    "use_cache",
    "_attn_implementation_autoset",
    "max_window_layers",
    "layer_types",
];

/// The keys of a configuration, with what was found wrong so far.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    used: BTreeSet<String>,
    problems: Vec<String>,
}

impl<'a> Fields<'a> {
    /// The keys of `object`.
    pub fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, used: BTreeSet::new(), problems: Vec::new() }
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

    fn typed<T>(&mut self, key: &str, wanted: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.get(key)?;
        let found = read(value);
        if found.is_none() {
            self.problem(format!("{key} is {value}; it must be {wanted}"));
        }
        found
    }

    /// A whole number.
    pub fn size(&mut self, key: &str) -> Option<usize> {
        self.typed(key, "a whole number, 0 or more", |v| {
            v.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < 1 << 40)
        })
    }

    /// A whole number that must be there; 0, with a problem recorded, where it is not.
    pub fn required_size(&mut self, key: &str) -> usize {
        if self.get(key).is_none() {
            self.problem(format!("{key} is missing"));
            return 0;
        }
        self.size(key).unwrap_or(0)
    }

    /// A finite number.
    pub fn number(&mut self, key: &str) -> Option<f64> {
        self.typed(key, "a finite number", |v| v.as_f64().filter(|n| n.is_finite()))
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// Text.
    pub fn string(&mut self, key: &str) -> Option<String> {
        self.typed(key, "text", |v| v.as_str().map(str::to_string))
    }

    /// A token id; of a list, the first.
    pub fn token(&mut self, key: &str) -> Option<u32> {
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
    pub fn finish(self) -> (Vec<String>, Vec<String>) {
        let unknown = self
            .object
            .iter()
            .filter(|(k, v)| !self.used.contains(*k) && !HARMLESS.contains(&k.as_str()) && !v.is_null());
        let warnings = unknown.map(|(k, v)| format!("{k} = {v} is unknown here and has no effect")).collect();
        (self.problems, warnings)
    }
}
