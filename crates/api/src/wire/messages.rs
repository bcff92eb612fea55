//! Messages of a chat.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

/// A message.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Message {
    /// `system`, `user`, `assistant` or what the template knows.
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
        Self { role: role.into(), content, reasoning_content: None, name: None }
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
    pub fn for_template(&self) -> Json {
        let mut message = json!({"role": self.role, "content": self.text()});
        if let Some(thought) = &self.reasoning_content {
            message["reasoning_content"] = json!(thought);
        }
        if let Some(name) = &self.name {
            message["name"] = json!(name);
        }
        message
    }
}
