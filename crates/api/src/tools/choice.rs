//! `tool_choice`: whether a chat may call functions, must, and which.

use serde_json::Value as Json;

use super::Function;
use crate::ApiError;

/// What `tool_choice` says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    None,
    Auto,
    Required,
    Named(String),
}

impl Choice {
    /// Of a body.
    ///
    /// # Errors
    /// What is no choice, or one of a function that there is not.
    pub fn of(given: Option<&Json>, functions: &[Function]) -> Result<Self, ApiError> {
        let refuse = |why: String| Err(ApiError::field("tool_choice", why));
        let choice = match given {
            None | Some(Json::Null) => return Ok(Self::Auto),
            Some(Json::String(word)) => match word.as_str() {
                "none" => return Ok(Self::None),
                "auto" => return Ok(Self::Auto),
                "required" => Self::Required,
                _ => {
                    return refuse(format!(
                        "`tool_choice` is {word:?}; it must be none, auto, required or a function"
                    ));
                }
            },
            Some(named) => match named["function"]["name"].as_str() {
                Some(name) => Self::Named(name.into()),
                None => {
                    return refuse("`tool_choice` must be none, auto, required or {\"type\": \"function\", \"function\": {\"name\": ..}}".into());
                }
            },
        };
        match &choice {
            _ if functions.is_empty() => {
                refuse("`tool_choice` asks for a call, but `tools` has no function".into())
            }
            Self::Named(name) if !functions.iter().any(|f| f.name == *name) => {
                refuse(format!("`tool_choice` names {name:?}, which is not in `tools`"))
            }
            _ => Ok(choice),
        }
    }
}
