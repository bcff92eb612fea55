//! Tool calls: the functions that a chat may call, the way its template lets the model write calls, and the grammar of a call that must come.

mod call;
mod reader;

use serde_json::{Map, Value as Json, json};

pub use reader::{CallPiece, Reader};

use crate::grammar::Constraint;
use crate::wire::ChatRequest;
use crate::{ApiError, Template};

/// How a model writes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `<tool_call>{"name": .., "arguments": ..}</tool_call>` anywhere in a text, as Hermes and Qwen have it.
    Tagged,
    /// `{"name": .., "parameters": ..}` in place of a text, as Llama 3 has it.
    Bare,
}

/// Around a call of [`Format::Tagged`].
const TAGS: [&str; 2] = ["<tool_call>", "</tool_call>"];

/// What only other formats have: Qwen3-Coder's inside of the same tags, which is no JSON, Mistral's, DeepSeek's and Phi's.
const OTHERS: [&str; 4] = ["<function=", "[TOOL_CALLS]", "<｜tool▁calls▁begin｜>", "<|tool_call|>"];

impl Format {
    /// The format that the template's text speaks of.
    fn find(template: &Template) -> Option<Self> {
        match () {
            () if OTHERS.iter().any(|mark| template.mentions(mark)) => None,
            () if template.mentions(TAGS[0]) => Some(Self::Tagged),
            () => template.mentions("\"parameters\":").then_some(Self::Bare),
        }
    }

    /// What the arguments are called.
    fn arguments(self) -> &'static str {
        match self {
            Self::Tagged => "arguments",
            Self::Bare => "parameters",
        }
    }
}

/// A function that may be called.
#[derive(Clone, Debug, PartialEq)]
struct Function {
    name: String,
    /// The schema of its arguments.
    parameters: Map<String, Json>,
}

/// What a chat may call, and whether it must.
#[derive(Clone, Debug, PartialEq)]
pub struct Tools {
    format: Format,
    functions: Vec<Function>,
    /// Most calls of an answer.
    most: usize,
    /// Whether the answer is nothing but calls.
    is_forced: bool,
}

impl Tools {
    /// Those of a chat; `None` where it has none, or may call none.
    ///
    /// # Errors
    /// Tools or a choice of them that cannot be, or a template that knows none.
    pub fn of(chat: &ChatRequest, template: &Template) -> Result<Option<Self>, ApiError> {
        let mut functions: Vec<Function> = Vec::new();
        for (index, tool) in chat.tools.iter().enumerate() {
            let function = function(tool)
                .map_err(|why| ApiError::field("tools", format!("`tools[{index}]` cannot be used: {why}")))?;
            if functions.iter().any(|f| f.name == function.name) {
                let message = format!("`tools` has two functions {:?}; names must differ", function.name);
                return Err(ApiError::field("tools", message));
            }
            functions.push(function);
        }
        let choice = Choice::of(chat.tool_choice.as_ref(), &functions)?;
        if functions.is_empty() || choice == Choice::None {
            return Ok(None);
        }
        let unknown = |what: &str| {
            ApiError::field("tools", format!("this checkpoint's chat template {what}; leave `tools` out"))
        };
        if !template.mentions("tools") {
            return Err(unknown("knows no tools"));
        }
        let format = Format::find(template).ok_or_else(|| {
            unknown("lets the model write calls in a way that this server does not read (it reads Hermes' and Llama 3's)")
        })?;
        let (is_one, is_forced) = match &choice {
            Choice::Named(name) => {
                functions.retain(|f| f.name == *name);
                (true, true)
            }
            choice => (chat.parallel_tool_calls == Some(false), *choice == Choice::Required),
        };
        Ok(Some(Self { format, functions, most: if is_one { 1 } else { usize::MAX }, is_forced }))
    }

    /// What an answer must follow that is nothing but calls.
    pub fn constraint(&self) -> Option<Constraint> {
        self.is_forced.then(|| Constraint::Grammar(self.grammar()))
    }

    /// One call, or one and more, in the format of the template. The name comes first, so that a client hears it first; no space is free, so that
    /// a model does not go on with spaces for ever.
    fn grammar(&self) -> String {
        let quoted = |text: &str| Json::from(text).to_string();
        let (before, behind, between) = match self.format {
            Format::Tagged => (format!("{}\n", TAGS[0]), format!("\n{}", TAGS[1]), "\n"),
            Format::Bare => (String::new(), String::new(), "; "),
        };
        let mut calls = Vec::new();
        let mut rules = String::new();
        for (index, function) in self.functions.iter().enumerate() {
            let name = Json::from(function.name.as_str());
            let begin = format!("{before}{{\"name\": {name}, \"{}\": ", self.format.arguments());
            let end = format!("}}{behind}");
            calls.push(format!("call_{index}"));
            rules += &format!("call_{index}: {} args_{index} {}\n", quoted(&begin), quoted(&end));
            let mut schema = function.parameters.clone();
            let spaces = json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "});
            schema.insert("x-guidance".into(), spaces);
            rules += &format!("args_{index}: %json {}\n", Json::Object(schema));
        }
        let more = if self.most == 1 { String::new() } else { format!(" ({} call)*", quoted(between)) };
        format!("start: call{more}\ncall: {}\n{rules}", calls.join(" | "))
    }

    /// Whether a function has this name.
    fn knows(&self, name: &str) -> bool {
        self.functions.iter().any(|f| f.name == name)
    }
}

/// A tool as a function; why it is none.
fn function(tool: &Json) -> Result<Function, String> {
    if tool["type"] != "function" {
        return Err(format!("its `type` is {}; it must be \"function\"", tool["type"]));
    }
    let function = &tool["function"];
    let name = function["name"].as_str().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(is_name) {
        let given = &function["name"];
        return Err(format!("`function.name` is {given}; it must be 1 to 128 letters, digits, _, - or ."));
    }
    let mut parameters = match &function["parameters"] {
        Json::Null => {
            json!({"properties": {}, "additionalProperties": false}).as_object().expect("it is one").clone()
        }
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
    Ok(Function { name: name.into(), parameters })
}

/// What `tool_choice` says.
#[derive(Clone, Debug, PartialEq)]
enum Choice {
    None,
    Auto,
    Required,
    Named(String),
}

impl Choice {
    fn of(given: Option<&Json>, functions: &[Function]) -> Result<Self, ApiError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const HERMES: &str = "{% if tools %}{{ tools }}<tool_call>{% endif %}";

    fn tools(template: &str, more: Json) -> Result<Option<Tools>, ApiError> {
        let template = Template::new(template.into(), String::new(), String::new()).unwrap();
        let mut body = json!({"messages": []});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Tools::of(&serde_json::from_value(body).unwrap(), &template)
    }

    fn named(names: &[&str]) -> Json {
        names.iter().map(|n| json!({"type": "function", "function": {"name": n}})).collect()
    }

    #[test]
    fn the_template_says_how_calls_are_written() {
        let of = |template: &str| tools(template, json!({"tools": named(&["f"])}));
        assert_eq!(of(HERMES).unwrap().unwrap().format, Format::Tagged);
        let llama = "{% if tools %}{{ tools }}{\"name\": function, \"parameters\": values}{% endif %}";
        assert_eq!(of(llama).unwrap().unwrap().format, Format::Bare);
        for (template, why) in [
            ("", "knows no tools"),
            ("{{ messages }}", "knows no tools"),
            ("{{ tools }}{\"parameters\": ..}[TOOL_CALLS]", "does not read"),
            ("{{ tools }}{\"function\": ..}", "does not read"),
            ("{{ tools }}<tool_call><function=f>", "does not read"),
        ] {
            let error = of(template).unwrap_err();
            assert!(error.message.contains(why) && error.param.as_deref() == Some("tools"), "{error:?}");
        }
    }

    #[test]
    fn choices_limit_what_may_be_called() {
        let of = |more: Json| {
            let mut body = json!({"tools": named(&["f", "g"])});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            tools(HERMES, body).unwrap()
        };
        assert_eq!(of(json!({"tool_choice": "none"})), None);
        let auto = of(json!({})).unwrap();
        assert!(!auto.is_forced && auto.most > 1 && auto.constraint().is_none());
        let required = of(json!({"tool_choice": "required", "parallel_tool_calls": false})).unwrap();
        assert!(required.is_forced && required.most == 1 && required.knows("f"));
        let one = json!({"tool_choice": {"type": "function", "function": {"name": "g"}}});
        let one = of(one).unwrap();
        assert!(one.is_forced && one.most == 1 && !one.knows("f") && one.knows("g"));
        assert_eq!(tools("", json!({"tool_choice": "auto"})), Ok(None));
    }

    #[test]
    fn tools_that_cannot_be_are_refused_by_field() {
        let schema =
            |s: Json| json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": s}}]});
        for (body, param, why) in [
            (json!({"tools": [7]}), "tools", "it must be \"function\""),
            (json!({"tools": named(&["f", "f"])}), "tools", "two functions \"f\""),
            (json!({"tools": named(&["f g"])}), "tools", "letters, digits"),
            (schema(json!("x")), "tools", "it must be a schema"),
            (schema(json!({"type": "string"})), "tools", "arguments are an \"object\""),
            (json!({"tools": named(&["f"]), "tool_choice": "some"}), "tool_choice", "must be none"),
            (json!({"tools": named(&["f"]), "tool_choice": {"type": "x"}}), "tool_choice", "must be none"),
            (
                json!({"tools": named(&["f"]), "tool_choice": {"type": "function", "function": {"name": "g"}}}),
                "tool_choice",
                "\"g\", which is not in",
            ),
            (json!({"tool_choice": "required"}), "tool_choice", "has no function"),
        ] {
            let error = tools(HERMES, body).unwrap_err();
            assert!(error.message.contains(why) && error.param.as_deref() == Some(param), "{error:?}");
        }
    }
}
