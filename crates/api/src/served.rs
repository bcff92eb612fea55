//! What is served.

use std::path::Path;
use std::sync::Arc;

use collegium_data::Tokenizer;
use collegium_serve::Handle;
use serde_json::Value as Json;

use crate::grammar::Grammars;
use crate::{Tags, Template};

/// What a checkpoint's `generation_config.json` asks for where a request says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Temperature; without one, 1 as OpenAI has it.
    pub temperature: Option<f64>,
    /// The nucleus.
    pub top_p: Option<f64>,
    /// How many of the likeliest.
    pub top_k: Option<usize>,
    /// At least this likely.
    pub min_p: Option<f64>,
    /// Against repetition.
    pub repetition_penalty: Option<f64>,
    /// Further tokens that end a text.
    pub ends: Vec<u32>,
}

impl Defaults {
    /// Those of the checkpoint in `folder`; none where it says none.
    pub fn from_folder(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("generation_config.json")).unwrap_or_default();
        let config: Json = serde_json::from_str(&text).unwrap_or_default();
        let number = |name: &str| config[name].as_f64();
        let token = |json: &Json| json.as_u64().and_then(|id| u32::try_from(id).ok());
        let ends = match &config["eos_token_id"] {
            Json::Array(all) => all.iter().filter_map(token).collect(),
            one => token(one).into_iter().collect(),
        };
        // Without sampling, transformers is greedy whatever the temperature is.
        let temperature = if config["do_sample"] == false { Some(0.0) } else { number("temperature") };
        Self {
            temperature,
            top_p: number("top_p"),
            top_k: config["top_k"].as_u64().map(|k| k as usize),
            min_p: number("min_p"),
            repetition_penalty: number("repetition_penalty"),
            ends,
        }
    }
}

/// A model that answers.
pub struct Served {
    /// Its name to clients.
    pub name: String,
    /// The engine.
    pub engine: Handle,
    /// Text to tokens.
    pub tokenizer: Arc<Tokenizer>,
    /// Messages to text.
    pub template: Template,
    /// What is not asked for.
    pub defaults: Defaults,
    /// What it puts around a chain of thought.
    pub tags: Option<Tags>,
    pub(crate) grammars: Grammars,
}

impl Served {
    /// A model that `engine` runs.
    pub fn new(
        name: String,
        engine: Handle,
        tokenizer: Arc<Tokenizer>,
        template: Template,
        defaults: Defaults,
    ) -> Self {
        let tags = Tags::find(&template, &tokenizer);
        let grammars = Grammars::new(&tokenizer);
        Self { name, engine, tokenizer, template, defaults, tags, grammars }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Defaults::from_folder(folder.path()), Defaults::default());
        let text =
            r#"{"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "eos_token_id": [7, 9]}"#;
        std::fs::write(folder.path().join("generation_config.json"), text).unwrap();
        let defaults = Defaults::from_folder(folder.path());
        assert_eq!((defaults.temperature, defaults.top_k, defaults.ends), (Some(0.6), Some(20), vec![7, 9]));
    }
}
