//! TOML text, presets and `key=value` settings to a configuration; unknown keys are refused with the nearest known one.

use std::path::Path;

use strsim::levenshtein;
use toml::{Table, Value};

use super::{PRESETS, RunConfig};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Values that cannot be.
    #[error("the configuration cannot be run:\n  {}", .0.join("\n  "))]
    Values(Vec<String>),
    /// A file that cannot be read.
    #[error("cannot read configuration {path}: {source}; check the path given to --config")]
    Read {
        /// Which file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Text that is no TOML, or a value of the wrong kind.
    #[error("{origin}: {message}")]
    Syntax {
        /// Where the text came from.
        origin: String,
        /// What the parser says.
        message: String,
    },
    /// A key there is none of.
    #[error("{origin}: unknown key `{key}`; {}", nearest.as_ref().map_or("`collegium presets reasoning` shows all keys".into(), |n| format!("did you mean `{n}`?")))]
    UnknownKey {
        /// Where the key came from.
        origin: String,
        /// The key.
        key: String,
        /// The known key most like it.
        nearest: Option<String>,
    },
    /// A preset there is none of.
    #[error("unknown preset `{name}`; there are {}", PRESETS.iter().map(|p| p.name).collect::<Vec<_>>().join(", "))]
    UnknownPreset {
        /// The name given.
        name: String,
    },
    /// A setting that is not `key=value`.
    #[error("--set {given}: write it as section.key=value, for example --set train.steps=100")]
    Setting {
        /// What was given.
        given: String,
    },
}

impl RunConfig {
    /// The default, a preset over it, a file over that, settings over all; then [`check`](Self::check)ed.
    ///
    /// # Errors
    /// The first unknown key or wrong kind of value, or all values that cannot be.
    pub fn assemble(
        preset: Option<&str>,
        file: Option<&Path>,
        settings: &[String],
    ) -> Result<Self, ConfigError> {
        let mut table = Table::try_from(Self::default()).expect("the default is plain data");
        if let Some(name) = preset {
            let found = PRESETS
                .iter()
                .find(|p| p.name == name)
                .ok_or(ConfigError::UnknownPreset { name: name.into() })?;
            merge(&mut table, parse(found.toml, &format!("preset {name}"))?);
        }
        if let Some(path) = file {
            let origin = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: origin.clone(), source })?;
            merge(&mut table, parse(&text, &origin)?);
        }
        for setting in settings {
            merge(&mut table, parse_setting(setting)?);
        }
        let config: Self = table.try_into().map_err(|e: toml::de::Error| ConfigError::Syntax {
            origin: "configuration".into(),
            message: e.message().to_string(),
        })?;
        config.check()?;
        Ok(config)
    }
}

/// TOML text with known keys only.
fn parse(text: &str, origin: &str) -> Result<Table, ConfigError> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| ConfigError::Syntax {
        origin: origin.into(),
        message: e.to_string(),
    })?;
    let known = known_keys();
    let is_section = |key: &str| known.iter().any(|k| k.split('.').next() == Some(key));
    for key in dotted(&table, "") {
        if !known.contains(&key) && !is_section(&key) {
            let nearest = nearest(&key, &known);
            return Err(ConfigError::UnknownKey { origin: origin.into(), key, nearest });
        }
    }
    // A value of the wrong kind is reported with its place in the text.
    toml::from_str::<RunConfig>(text)
        .map_err(|e| ConfigError::Syntax { origin: origin.into(), message: e.to_string() })?;
    Ok(table)
}

/// `section.key=value`; a value that is no TOML is taken as a string.
fn parse_setting(given: &str) -> Result<Table, ConfigError> {
    let wrong = || ConfigError::Setting { given: given.into() };
    let (key, value) = given.split_once('=').ok_or_else(wrong)?;
    let origin = format!("--set {given}");
    let text = format!("{key} = {value}");
    match text.parse::<Table>() {
        Ok(_) => parse(&text, &origin),
        Err(_) => parse(&format!("{key} = {:?}", value), &origin),
    }
}

/// Values of `over` in place of those in `table`.
fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Leaf keys, dotted.
fn dotted(table: &Table, prefix: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) if !inner.is_empty() => keys.extend(dotted(inner, &format!("{key}."))),
            _ => keys.push(key),
        }
    }
    keys
}

/// Every key there is, from a configuration in which the optional ones are set.
fn known_keys() -> Vec<String> {
    let mut full = RunConfig::default();
    full.model.checkpoint = Some("x".into());
    full.model.config = Some("x".into());
    full.data.cache = Some("x".into());
    full.run.dir = Some("x".into());
    dotted(&Table::try_from(full).expect("plain data"), "")
}

/// The known key that differs least, if it is close.
fn nearest(key: &str, known: &[String]) -> Option<String> {
    let last = |k: &str| k.rsplit('.').next().unwrap_or(k).to_string();
    let score = |k: &String| levenshtein(key, k).min(levenshtein(&last(key), &last(k)) + 1);
    // A short name is close to every other; more than a third of its letters must agree.
    known.iter().min_by_key(|k| score(k)).filter(|k| score(k) <= 2 + last(key).len() / 3).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(settings: &[&str]) -> String {
        let settings: Vec<String> = settings.iter().map(|s| s.to_string()).collect();
        RunConfig::assemble(None, None, &settings).unwrap_err().to_string()
    }

    #[test]
    fn settings_win_over_presets() {
        let settings = ["train.steps=7".to_string(), "run.dir=out/here".to_string()];
        let config = RunConfig::assemble(Some("small"), None, &settings).unwrap();
        assert_eq!(config.train.steps, 7);
        assert_eq!(config.run.dir.as_deref(), Some(Path::new("out/here")));
    }

    #[test]
    fn every_preset_can_be_run_and_survives_being_saved() {
        for preset in PRESETS {
            let config = RunConfig::assemble(Some(preset.name), None, &[]).unwrap();
            let text = toml::to_string(&config).unwrap();
            assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config, "{}", preset.name);
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest() {
        assert_eq!(
            message(&["train.step=7"]),
            "--set train.step=7: unknown key `train.step`; did you mean `train.steps`?"
        );
        assert_eq!(
            message(&["learning_rate=1"]),
            "--set learning_rate=1: unknown key `learning_rate`; did you mean `optimizer.learning_rate`?"
        );
    }

    #[test]
    fn all_wrong_values_are_reported_at_once() {
        let text = message(&["optimizer.learning_rate=nan", "train.batch=3", "parallel.devices=2"]);
        assert!(
            text.contains("optimizer.learning_rate is NaN; it must be a finite number above 0"),
            "{text}"
        );
        assert!(text.contains("train.batch is 3; it must be a multiple of the 2 devices"), "{text}");
    }

    #[test]
    fn transports_that_do_not_suit_are_refused() {
        let staged = "parallel.transport=two-stage";
        let text = message(&[staged]);
        assert!(
            text.contains("two-stage with parallel.nodes = 1; it is for groups on several nodes"),
            "{text}"
        );
        let fused = ["parallel.nodes=2", "parallel.execution=fused", staged];
        let text = message(&fused);
        assert!(text.contains("parallel.transport is two-stage, which the fused execution lacks"), "{text}");
        let text = message(&["parallel.platform=neuron", "parallel.sent_as=int8"]);
        assert!(text.contains("Neuron has no all-to-all of integers; use transport two-stage"), "{text}");
        let text = message(&["parallel.transport=pigeon"]);
        assert!(text.contains("is `pigeon`; use all-to-all or all-gather or two-stage"), "{text}");
    }
}
