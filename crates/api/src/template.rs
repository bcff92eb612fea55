//! Chat templates of checkpoints, as `transformers` renders them: Jinja with blocks trimmed and Python's methods on strings.

use std::path::Path;

use minijinja::{Environment, ErrorKind, Value, context};
use serde_json::Value as Json;

use crate::ApiError;
use crate::wire::Message;

/// What a request sets besides its messages.
#[derive(Clone, Debug, Default)]
pub struct Turn<'a> {
    /// Whether the model may think; `None` leaves it to the template.
    pub enable_thinking: Option<bool>,
    /// Whether the last message is to be continued rather than answered.
    pub continue_final: bool,
    /// Further names for the template.
    pub more: Option<&'a serde_json::Map<String, Json>>,
}

/// Messages to one text. The default has no template.
#[derive(Default)]
pub struct Template {
    environment: Option<Environment<'static>>,
    /// Its text; empty where the checkpoint has none.
    source: String,
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
        let config: Json = serde_json::from_str(&config).unwrap_or_default();
        let named = |name: &str| {
            let token = &config[name];
            token.as_str().or_else(|| token["content"].as_str()).unwrap_or_default().to_string()
        };
        let file = std::fs::read_to_string(folder.join("chat_template.jinja")).ok();
        let of_config = || match &config["chat_template"] {
            Json::String(one) => Some(one.clone()),
            Json::Array(all) => {
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
        Ok(Self { environment, source, bos, eos })
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
        let messages: Vec<Json> = messages.iter().map(Message::for_template).collect();
        let mut names: Vec<(String, Value)> = vec![
            ("messages".into(), Value::from_serialize(&messages)),
            ("add_generation_prompt".into(), (!turn.continue_final).into()),
            ("bos_token".into(), self.bos.clone().into()),
            ("eos_token".into(), self.eos.clone().into()),
        ];
        names.extend(turn.enable_thinking.map(|thinks| ("enable_thinking".to_string(), thinks.into())));
        names.extend(
            turn.more.into_iter().flatten().map(|(name, v)| (name.clone(), Value::from_serialize(v))),
        );
        let template = environment.get_template("chat").expect("it was added");
        let text = template.render(context! { ..Value::from_iter(names) });
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

fn environment(source: &str) -> Result<Environment<'static>, String> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", |why: String| -> Result<Value, minijinja::Error> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, why))
    });
    environment
        .add_template_owned("chat", source.to_string())
        .map_err(|e| format!("the checkpoint's chat template does not parse: {e}"))?;
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<Message> {
        vec![
            Message::new("system", "Be brief."),
            Message::new("user", "Hello"),
            Message::new("assistant", "<think>x</think>Hi "),
            Message::new("user", "Bye"),
        ]
    }

    /// Written as Qwen3's: Python's methods, a loop with its index, a flag.
    const QWEN: &str = "{%- for m in messages %}\n    {%- set text = m.content %}\n    {%- if m.role == 'assistant' and '</think>' in text %}\n        {%- set text = text.split('</think>')[-1].lstrip('\\n') %}\n    {%- endif %}\n    {{- '<|im_start|>' + m.role + '\\n' + text.strip() + '<|im_end|>\\n' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n    {%- if enable_thinking is defined and enable_thinking is false %}\n        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endif %}";

    #[test]
    fn a_template_in_the_style_of_qwen3_renders() {
        let template = Template::new(QWEN.into(), String::new(), "<|im_end|>".into()).unwrap();
        let text = template.render(&messages(), &Turn::default()).unwrap();
        let expected = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n";
        assert_eq!(text, expected);
        let turn = Turn { enable_thinking: Some(false), ..Turn::default() };
        assert!(template.render(&messages(), &turn).unwrap().ends_with("<think>\n\n</think>\n\n"));
        let turn = Turn { continue_final: true, ..Turn::default() };
        assert!(template.render(&messages()[..2], &turn).unwrap().ends_with("user\nHello"));
        assert!(template.render(&messages()[..3], &turn).is_err());
    }

    #[test]
    fn what_the_template_refuses_is_the_clients_error_and_a_bad_template_is_found_at_once() {
        let source = "{{ raise_exception('roles must alternate') }}".to_string();
        let template = Template::new(source, String::new(), String::new()).unwrap();
        let error = template.render(&messages(), &Turn::default()).unwrap_err();
        assert!(error.message.contains("roles must alternate"), "{}", error.message);
        assert!(Template::new("{% if %}".into(), String::new(), String::new()).is_err());
        let endless = "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}";
        let template = Template::new(endless.into(), String::new(), String::new()).unwrap();
        assert!(template.render(&messages(), &Turn::default()).is_err());
    }

    #[test]
    fn without_a_template_every_question_is_a_text_of_its_own() {
        let template = Template::default();
        let text = |n: usize, turn: &Turn<'_>| template.render(&messages()[..n], turn).unwrap();
        assert_eq!(text(2, &Turn::default()), "Be brief.\nHello");
        assert_eq!(text(4, &Turn::default()), "Bye");
        let turn = Turn { continue_final: true, ..Turn::default() };
        assert_eq!(text(3, &turn), "Be brief.\nHello\n<think>x</think>Hi ");
    }
}
