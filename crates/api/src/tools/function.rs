//! A function that may be called, as a client describes it.

use serde_json::{Map, Value as Json, json};

/// A function that may be called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Function {
    pub name: String,
    /// The schema of its arguments.
    pub parameters: Map<String, Json>,
    /// Whether arguments must follow it where the model is free to call or not.
    pub is_strict: bool,
}

impl Function {
    /// A tool as a function; why it is none.
    pub fn of(tool: &Json) -> Result<Self, String> {
        if tool["type"] != "function" {
            return Err(format!("its `type` is {}; it must be \"function\"", tool["type"]));
        }
        let function = &tool["function"];
        let name = function["name"].as_str().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || name.len() > 128 || !name.chars().all(is_name) {
            let given = &function["name"];
            return Err(format!(
                "`function.name` is {given}; it must be 1 to 128 letters, digits, _, - or ."
            ));
        }
        let mut parameters = match &function["parameters"] {
            Json::Null => json!({"properties": {}, "additionalProperties": false})
                .as_object()
                .expect("it is one")
                .clone(),
            Json::Object(schema) => schema.clone(),
            other => return Err(format!("`function.parameters` is {other}; it must be a schema, an object")),
        };
        match parameters.get("type") {
            None => drop(parameters.insert("type".into(), json!("object"))),
            Some(kind) if kind == "object" => {}
            Some(other) => {
                return Err(format!("`function.parameters.type` is {other}; arguments are an \"object\""));
            }
        }
        Ok(Self { name: name.into(), parameters, is_strict: function["strict"] == true })
    }
}
