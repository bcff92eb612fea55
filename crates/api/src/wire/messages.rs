//! Messages of a chat.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use crate::ApiError;

/// A message.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Message {
    /// `system`, `user`, `assistant`, `tool` or what the template knows.
    pub role: String,
    /// What it says.
    #[serde(default)]
    pub content: Option<Content>,
    /// The chain of thought of an earlier answer, for templates that want it.
    #[serde(default)]
    pub reasoning_content: Option<String>,
    /// Who says it.
    #[serde(default)]
    pub name: Option<String>,
    /// What an earlier answer called.
    #[serde(default)]
    pub tool_calls: Option<Vec<EarlierCall>>,
    /// Which of those a message of role `tool` answers.
    #[serde(default)]
    pub tool_call_id: Option<String>,
}

/// A call of an earlier answer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct EarlierCall {
    /// Its name.
    #[serde(default)]
    pub id: Option<String>,
    /// What was called.
    pub function: EarlierFunction,
}

/// What was called.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct EarlierFunction {
    /// The function.
    pub name: String,
    /// A text that holds an object of JSON, as OpenAI has it; the object itself is taken too.
    #[serde(default)]
    pub arguments: Json,
}

impl EarlierCall {
    /// As templates know it: arguments are an object.
    fn for_template(&self) -> Result<Json, ApiError> {
        let EarlierFunction { name, arguments } = &self.function;
        let arguments = match arguments {
            Json::Null => json!({}),
            Json::String(text) if text.trim().is_empty() => json!({}),
            Json::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        };
        if !arguments.is_object() {
            let message = format!("arguments of the call of {name:?} are no object of JSON");
            return Err(ApiError::field("messages", message));
        }
        let mut call = json!({"type": "function", "function": {"name": name, "arguments": arguments}});
        if let Some(id) = &self.id {
            call["id"] = json!(id);
        }
        Ok(call)
    }
}

/// A text, or parts of one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Content {
    /// A text.
    Text(String),
    /// Parts.
    Parts(Vec<Part>),
}

/// A part of a message; only text can be read.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
}

impl Message {
    /// Of this role.
    pub fn new(role: &str, text: &str) -> Self {
        let content = Some(Content::Text(text.into()));
        Self {
            role: role.into(),
            content,
            reasoning_content: None,
            name: None,
            tool_calls: None,
            tool_call_id: None,
        }
    }

    /// All its text.
    pub fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => {
                parts.iter().map(|Part::Text { text }| text.as_str()).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// As templates know it: the content is one text.
    ///
    /// # Errors
    /// Calls whose arguments are no object.
    pub fn for_template(&self) -> Result<Json, ApiError> {
        let mut message = json!({"role": self.role, "content": self.text()});
        if let Some(thought) = &self.reasoning_content {
            message["reasoning_content"] = json!(thought);
        }
        if let Some(name) = &self.name {
            message["name"] = json!(name);
        }
        if let Some(calls) = self.tool_calls.as_ref().filter(|c| !c.is_empty()) {
            message["tool_calls"] = calls.iter().map(EarlierCall::for_template).collect::<Result<_, _>>()?;
        }
        if let Some(id) = &self.tool_call_id {
            message["tool_call_id"] = json!(id);
        }
        Ok(message)
    }
}
