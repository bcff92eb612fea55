//! Chat templates of checkpoints, as `transformers` renders them: Jinja with blocks trimmed and Python's methods on strings.

mod phi;
mod python;
#[cfg(test)]
mod tests;

use std::path::Path;

use collegium_data::special_token;
use minijinja::{Environment, ErrorKind, Value, context};
use serde_json::{Map, Value as Json};

use crate::ApiError;
use crate::tools::PHI;
use crate::wire::Message;
use python::{strftime, to_json};

/// What a request sets besides its messages.
#[derive(Clone, Debug, Default)]
pub struct Turn<'a> {
    /// Whether the model may think; `None` leaves it to the template.
    pub enable_thinking: Option<bool>,
    /// Whether the last message is to be continued rather than answered.
    pub continue_final: bool,
    /// Functions that may be called.
    pub tools: &'a [Json],
    /// Further names for the template.
    pub more: Option<&'a Map<String, Json>>,
}

/// Messages to one text. The default has no template.
#[derive(Default)]
pub struct Template {
    environment: Option<Environment<'static>>,
    /// Its text; empty where the checkpoint has none.
    source: String,
    /// Whether it shows functions that the system message brings along, and no others.
    has_tools_in_message: bool,
    bos: String,
    eos: String,
}

/// Steps that a template may take before it is stopped.
const FUEL: u64 = 50_000_000;

impl Template {
    /// The template of the checkpoint in `folder`: `chat_template.jinja`, else `chat_template` of `tokenizer_config.json` (of several, the one named
    /// `default`). A model without one knows no turns: what stands behind the last answer is a text of its own, which is continued.
    ///
    /// # Errors
    /// A template that does not parse, with the place.
    pub fn from_folder(folder: &Path) -> Result<Self, String> {
        let config = std::fs::read_to_string(folder.join("tokenizer_config.json")).unwrap_or_default();
        let config: Map<String, Json> = serde_json::from_str(&config).unwrap_or_default();
        let named = |name: &str| special_token(&config, name).unwrap_or_default().to_string();
        let file = std::fs::read_to_string(folder.join("chat_template.jinja")).ok();
        let of_config = || match config.get("chat_template") {
            Some(Json::String(one)) => Some(one.clone()),
            Some(Json::Array(all)) => {
                let default = all.iter().find(|t| t["name"] == "default").or(all.first())?;
                default["template"].as_str().map(Into::into)
            }
            _ => None,
        };
        let source = file.or_else(of_config).unwrap_or_default();
        Self::new(source, named("bos_token"), named("eos_token"))
    }

    /// A template of this text; of none, where it is empty.
    ///
    /// # Errors
    /// A text that does not parse, with the place.
    pub fn new(source: String, bos: String, eos: String) -> Result<Self, String> {
        let environment = (!source.is_empty()).then(|| environment(&source)).transpose()?;
        let names = environment.as_ref().map(|all| chat(all).undeclared_variables(false));
        let takes_tools = names.is_some_and(|names| names.contains("tools"));
        let has_tools_in_message = source.contains(PHI.functions_end) && !takes_tools;
        Ok(Self { environment, source, has_tools_in_message, bos, eos })
    }

    /// Whether the checkpoint has one.
    pub fn is_given(&self) -> bool {
        self.environment.is_some()
    }

    /// Whether its text holds `words`.
    pub fn mentions(&self, words: &str) -> bool {
        self.source.contains(words)
    }

    /// The text that asks for the next message.
    ///
    /// # Errors
    /// Messages that the template refuses.
    pub fn render(&self, messages: &[Message], turn: &Turn<'_>) -> Result<String, ApiError> {
        let Some(environment) = &self.environment else {
            let answered =
                &messages[..messages.len() - usize::from(turn.continue_final && !messages.is_empty())];
            let first = answered.iter().rposition(|m| m.role == "assistant").map_or(0, |at| at + 1);
            return Ok(messages[first..].iter().map(Message::text).collect::<Vec<_>>().join("\n"));
        };
        let mut messages: Vec<Json> = messages.iter().map(Message::for_template).collect::<Result<_, _>>()?;
        if self.has_tools_in_message {
            phi::spell(&mut messages, turn.tools);
        }
        let tools = Some(turn.tools).filter(|tools| !tools.is_empty());
        let mut names: Vec<(String, Value)> = vec![
            ("messages".into(), Value::from_serialize(&messages)),
            // Always defined, as transformers has them.
            ("tools".into(), tools.map_or(Value::from(()), Value::from_serialize)),
            ("documents".into(), Value::from(())),
            ("add_generation_prompt".into(), (!turn.continue_final).into()),
            ("bos_token".into(), self.bos.clone().into()),
            ("eos_token".into(), self.eos.clone().into()),
        ];
        names.extend(turn.enable_thinking.map(|thinks| ("enable_thinking".to_string(), thinks.into())));
        names.extend(
            turn.more.into_iter().flatten().map(|(name, v)| (name.clone(), Value::from_serialize(v))),
        );
        let text = chat(environment).render(context! { ..Value::from_iter(names) });
        let mut text = text.map_err(|e| {
            ApiError::field("messages", format!("the chat template refuses these messages: {e}"))
        })?;
        if turn.continue_final {
            // What the template puts behind the last message would end it.
            let last = messages.last().and_then(|m| m["content"].as_str()).unwrap_or_default().trim_end();
            let Some(at) = text.rfind(last) else {
                let message = "the chat template changes the last message, so it cannot be continued";
                return Err(ApiError::field("continue_final_message", message));
            };
            text.truncate(at + last.len());
        }
        Ok(text)
    }
}

fn chat<'e>(environment: &'e Environment<'_>) -> minijinja::Template<'e, 'e> {
    environment.get_template("chat").expect("it was added")
}

fn environment(source: &str) -> Result<Environment<'static>, String> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", to_json);
    // In Python `none` is not.
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_function("raise_exception", |why: String| -> Result<Value, minijinja::Error> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, why))
    });
    environment.add_function("strftime_now", |format: &str| strftime(chrono::Local::now(), format));
    environment
        .add_template_owned("chat", source.to_string())
        .map_err(|e| format!("the checkpoint's chat template does not parse: {e}"))?;
    Ok(environment)
}
