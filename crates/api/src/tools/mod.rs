//! Tool calls: the functions that a chat may call, the way its template lets the model write calls, and the grammar of a call that must come.

mod call;
mod format;
mod parameters;
mod reader;

use collegium_data::Tokenizer;
use serde_json::{Map, Value as Json, json};

pub use format::{Format, PHI};
pub use reader::{CallPiece, Reader};

use crate::grammar::Constraint;
use crate::wire::ChatRequest;
use crate::{ApiError, Template};
use format::{ELEMENT, Written};
use parameters::{Kind, kinds, written};

/// A function that may be called.
#[derive(Clone, Debug, PartialEq)]
struct Function {
    name: String,
    /// The schema of its arguments.
    parameters: Map<String, Json>,
    /// Whether arguments must follow it where the model is free to call or not.
    is_strict: bool,
}

/// A character as regular expressions between slashes have it.
fn regex_escaped(c: char) -> String {
    if r"\/.^$|?*+()[]{}".contains(c) { format!("\\{c}") } else { c.to_string() }
}

/// A schema of JSON without free space.
fn compact(mut schema: Map<String, Json>) -> Json {
    let spaces = json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "});
    schema.insert("x-guidance".into(), spaces);
    Json::Object(schema)
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
    /// Words of the format that are single tokens, which texts leave out.
    marks: Vec<(u32, &'static str)>,
}

impl Tools {
    /// Those of a chat; `None` where it has none, or may call none.
    ///
    /// # Errors
    /// Tools or a choice of them that cannot be, or a template that knows none.
    pub fn of(
        chat: &ChatRequest,
        template: &Template,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Self>, ApiError> {
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
            unknown("lets the model write calls in a way that this server does not read (it reads those of Hermes, Qwen, Llama 3, Mistral, DeepSeek and Phi-4)")
        })?;
        let (is_one, is_forced) = match &choice {
            Choice::Named(name) => {
                functions.retain(|f| f.name == *name);
                (true, true)
            }
            choice => (chat.parallel_tool_calls == Some(false), *choice == Choice::Required),
        };
        let is_silent = |id: &u32| tokenizer.decode(&[*id]).is_ok_and(|text| text.is_empty());
        let marks = format.marks().iter();
        let marks =
            marks.filter_map(|&mark| Some((tokenizer.id_of(mark).filter(is_silent)?, mark))).collect();
        let most = if is_one { 1 } else { usize::MAX };
        Ok(Some(Self { format, functions, most, is_forced, marks }))
    }

    /// Whether the answer is nothing but calls.
    pub fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// The word that this token stands for, where texts leave it out.
    pub fn mark(&self, token: u32) -> &'static str {
        self.marks.iter().find(|mark| mark.0 == token).map_or("", |mark| mark.1)
    }

    /// What an answer must follow: one that is nothing but calls, or that has calls of functions whose schemas are to hold.
    pub fn constraint(&self) -> Option<Constraint> {
        if self.is_forced {
            return Some(Constraint::Grammar(self.grammar()));
        }
        let is_strict = self.functions.iter().any(|function| function.is_strict);
        is_strict.then(|| Constraint::Grammar(self.free_grammar()))
    }

    /// One call, or one and more, in the format of the template. The name comes first, so that a client hears it first; no space is free, so that
    /// a model does not go on with spaces for ever.
    fn grammar(&self) -> String {
        let written = self.format.written();
        let [begin, end] = [written.begin, written.end].map(|text| self.literal(text));
        format!("start: {begin} {} {end}\n{}", self.calls(&written), self.rules(&written))
    }

    /// Any text, and calls wherever it opens some.
    fn free_grammar(&self) -> String {
        let mut written = self.format.written();
        let opens = self.format.last_opens();
        let free = r"/(?s:.*)/";
        if self.format == Format::Bare {
            let rules = self.rules(&written);
            return format!(
                "start: TEXT | {}\nTEXT: /\\s*([^{{\\s](?s:.*))?/\n{rules}",
                self.calls(&written)
            );
        }
        // The mark is the end of the text before it.
        let is_in_begin = written.begin.starts_with(opens);
        let opening = if is_in_begin { &mut written.begin } else { &mut written.open };
        *opening = opening.split_once(opens).expect("it is in what opens calls").1;
        if !is_in_begin {
            // Others follow as texts do, each with a mark of its own.
            written.between = "";
        }
        let calls = if is_in_begin { self.calls(&written) } else { "call".into() };
        let [begin, end] = [written.begin, written.end].map(|text| self.literal(text));
        let rules = self.rules(&written);
        match self.marks.iter().find(|mark| mark.1 == opens) {
            Some((token, _)) => {
                format!("start: text (<[{token}]> {begin} {calls} {end} text)*\ntext: {free}\n{rules}")
            }
            None => {
                let mark: String = opens.chars().map(regex_escaped).collect();
                format!(
                    "start: (before {begin} {calls} {end})* text\nbefore[lazy]: /(?s:.*){mark}/\ntext: {free}\n{rules}"
                )
            }
        }
    }

    /// One call or as many as there may be.
    fn calls(&self, written: &Written) -> String {
        match self.most {
            1 => "call".into(),
            _ => format!("call ({} call)*", self.literal(written.between)),
        }
    }

    /// The rules of a call.
    fn rules(&self, written: &Written) -> String {
        let mut calls = Vec::new();
        let mut rules = String::new();
        for (index, function) in self.functions.iter().enumerate() {
            let (name, quoted) = (function.name.as_str(), Json::from(function.name.as_str()).to_string());
            let name = if written.is_quoted { &quoted } else { name };
            let begin = self.literal(&format!("{}{name}{}", written.open, written.middle));
            calls.push(format!("call_{index}"));
            rules += &format!("call_{index}: {begin} args_{index} {}\n", self.literal(written.close));
            rules += &match self.format {
                Format::Elements => self.elements(index, function),
                _ => format!("args_{index}: %json {}\n", self.arguments(function)),
            };
        }
        if self.format == Format::Elements {
            let ends: Vec<String> = ELEMENT.ends().map(|end| end.chars().map(regex_escaped).collect()).into();
            let end = self.literal(&format!("\n{}\n", ELEMENT.parameter_end));
            let none = format!("~/(?s:.*)({})(?s:.*)/", ends.join("|"));
            rules += &format!("value[lazy]: FREE {end}\nFREE: /(?s:.*)/ & {none}\n");
        }
        format!("call: {}\n{rules}", calls.join(" | "))
    }

    /// The schema of arguments; of any, where they are not to hold to it.
    fn arguments(&self, function: &Function) -> Json {
        let any = || Map::from_iter([("type".to_string(), json!("object"))]);
        compact(if self.holds(function) { function.parameters.clone() } else { any() })
    }

    /// Whether arguments must follow the function's schema.
    fn holds(&self, function: &Function) -> bool {
        self.is_forced || function.is_strict
    }

    /// The rules of arguments as elements: the parameters of the schema, in its order.
    fn elements(&self, index: usize, function: &Function) -> String {
        let begin = |key: &str| self.literal(&format!("{}{key}>\n", ELEMENT.parameter));
        if !self.holds(function) {
            let mark = self.literal(ELEMENT.parameter);
            return format!("args_{index}: any_{index}*\nany_{index}: {mark} /[^<>\\n]+/ \">\\n\" value\n");
        }
        let schema = &function.parameters;
        let (mut all, mut rules) = (String::new(), String::new());
        for (at, key) in schema["properties"].as_object().into_iter().flat_map(Map::keys).enumerate() {
            let is_required = schema["required"].as_array().is_some_and(|all| all.contains(&json!(key)));
            all += &format!(" p_{index}_{at}{}", if is_required { "" } else { "?" });
            rules += &format!("p_{index}_{at}: {} ({})\n", begin(key), self.value(schema, key));
        }
        format!("args_{index}:{all}\n{rules}")
    }

    /// What the value of a parameter may be, and the mark of its end.
    fn value(&self, schema: &Map<String, Json>, key: &str) -> String {
        let end = format!("\n{}\n", ELEMENT.parameter_end);
        let kinds = kinds(schema, key);
        if kinds.contains(&Kind::Text) {
            return "value".into();
        }
        let one = |kind: &Kind<'_>| match kind {
            Kind::Text => "value".into(),
            Kind::Only(only) => self.literal(&(written(only) + &end)),
            Kind::Json(own) => {
                let mut own = own.as_object().cloned().unwrap_or_default();
                // What it refers to is in the whole.
                for name in ["$defs", "definitions"] {
                    own.extend(schema.get(name).map(|all| (name.to_string(), all.clone())));
                }
                format!("%json {} {}", compact(own), self.literal(&end))
            }
        };
        kinds.iter().map(one).collect::<Vec<_>>().join(" | ")
    }

    /// A text as grammars have it, where some words are tokens.
    fn literal(&self, text: &str) -> String {
        let found = self.marks.iter().filter_map(|mark| Some((text.find(mark.1)?, mark)));
        match found.min() {
            None if text.is_empty() => String::new(),
            None => Json::from(text).to_string(),
            Some((at, (token, mark))) => {
                let [before, behind] = [&text[..at], &text[at + mark.len()..]].map(|part| self.literal(part));
                format!("{before} <[{token}]> {behind}")
            }
        }
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
    Ok(Function { name: name.into(), parameters, is_strict: function["strict"] == true })
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
        Tools::of(&serde_json::from_value(body).unwrap(), &template, &Tokenizer::bytes())
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
        for (template, format) in [
            ("{{ tools }}<tool_call>\n<function=f>\n<parameter=p>", Format::Elements),
            ("{{ tools }}[TOOL_CALLS] [{\"name\": ..}]", Format::Listed),
            ("{{ tools }}[TOOL_CALLS]name[ARGS]{..}", Format::Marked),
            ("{{ messages[0].tools }}<|/tool|>", Format::Enclosed),
            ("{{ tools }}<|/tool|><|tool_call|>{\"parameters\": ..}", Format::Enclosed),
            ("{{ tools }}functools[{\"name\": ..}]", Format::Prefixed),
            ("{{ tools }}<｜tool▁call▁begin｜>..\n```json\n\"parameters\": x", Format::Fenced),
            ("{{ tools }}<｜tool▁call▁begin｜>..", Format::Separated),
        ] {
            assert_eq!(of(template).unwrap().unwrap().format, format, "{template}");
        }
        for (template, why) in [
            ("", "knows no tools"),
            ("{{ messages }}", "knows no tools"),
            ("{{ tools }}{\"parameters\": ..}<|tool_call|>", "does not read"),
            ("{{ tools }}{\"function\": ..}", "does not read"),
            ("{{ tools }}<tool_call><function=f>", "does not read"),
            ("{{ tools }}<seed:tool_call><function=f><parameter=p>", "does not read"),
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

    /// Whether the masks of these tools let `text` come, and where it ends an end.
    fn allows(tools: &Tools, text: &str) -> bool {
        allows_tokens(tools, &Tokenizer::bytes(), text.bytes().map(u32::from))
    }

    fn allows_tokens(tools: &Tools, tokenizer: &Tokenizer, tokens: impl Iterator<Item = u32>) -> bool {
        let constraint = tools.constraint().expect("some");
        let source = crate::grammar::Grammars::new(tokenizer).compile(constraint).unwrap();
        let mut mask = source.start();
        let may = |mask: &mut Box<dyn collegium_serve::request::TokenMask>, token: u32| {
            let mut logits = vec![0.0; tokenizer.vocab_size()];
            mask.apply(&mut logits);
            logits[token as usize] == 0.0
        };
        for token in tokens {
            if mask.is_finished() || !may(&mut mask, token) {
                return false;
            }
            mask.advance(token);
        }
        mask.is_finished() || may(&mut mask, tokenizer.end_of_document())
    }

    /// Bytes, and Mistral's marks as tokens that texts leave out.
    fn with_marks() -> Tokenizer {
        let mut all: Json = serde_json::from_str(&Tokenizer::bytes().json()).unwrap();
        let end = all["added_tokens"][0].clone();
        for (id, mark) in [(257, "[TOOL_CALLS]"), (258, "[ARGS]")] {
            let mut token = end.clone();
            (token["id"], token["content"]) = (id.into(), mark.into());
            all["added_tokens"].as_array_mut().unwrap().push(token);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, all.to_string()).unwrap();
        Tokenizer::from_file(&path, end["content"].as_str()).unwrap()
    }

    #[test]
    fn marks_that_texts_leave_out_are_seen_by_their_tokens() {
        let tokenizer = with_marks();
        let template =
            Template::new("{{ tools }}[TOOL_CALLS][ARGS]".into(), String::new(), String::new()).unwrap();
        let of = |choice: &str| {
            let schema = json!({"properties": {"a": {"type": "integer"}}, "required": ["a"]});
            let function = json!({"name": "f", "strict": true, "parameters": schema});
            let body = json!({"messages": [], "tool_choice": choice,
                "tools": [{"type": "function", "function": function}]});
            Tools::of(&serde_json::from_value(body).unwrap(), &template, &tokenizer).unwrap().unwrap()
        };
        let bytes = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
        let call = |a: &str| [vec![257], bytes("f"), vec![258], bytes(a)].concat();
        let (forced, auto) = (of("required"), of("auto"));
        assert_eq!([auto.mark(257), auto.mark(258), auto.mark(65)], ["[TOOL_CALLS]", "[ARGS]", ""]);
        for (tools, tokens, expected) in [
            (&forced, call("{\"a\": 7}"), true),
            (&forced, [call("{\"a\": 7}"), call("{\"a\": 8}")].concat(), true),
            (&forced, call("{\"a\": \"x\"}"), false),
            (&forced, bytes("[TOOL_CALLS]f[ARGS]{\"a\": 7}"), false),
            (&auto, bytes("Well."), true),
            (&auto, [bytes("Well. "), call("{\"a\": 7}"), call("{\"a\": 8}")].concat(), true),
            (&auto, [bytes("Well. "), call("{\"a\": 7}"), call("{}")].concat(), false),
        ] {
            assert_eq!(allows_tokens(tools, &tokenizer, tokens.iter().copied()), expected, "{tokens:?}");
        }
    }

    /// In each format: texts are free, calls of `f` follow its schema, those of `g`, which is not strict, need an object.
    #[test]
    fn strict_schemas_hold_also_where_a_model_may_do_without_calls() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
            "additionalProperties": false});
        let body = |more: &Json| {
            let mut body = json!({"tools": [
                {"type": "function", "function": {"name": "f", "strict": true, "parameters": schema}},
                {"type": "function", "function": {"name": "g", "parameters": schema}}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let object = |name: &str, key: &str, a: &str| format!("{{\"name\": \"{name}\", \"{key}\": {a}}}");
        type Wrap<'a> = &'a dyn Fn(&str, &str) -> String;
        let hermes: Wrap<'_> = &|n, a| format!("<tool_call>\n{}\n</tool_call>", object(n, "arguments", a));
        let llama: Wrap<'_> = &|n, a| object(n, "parameters", a);
        let listed: Wrap<'_> = &|n, a| format!("[TOOL_CALLS][{}]", object(n, "arguments", a));
        let marked: Wrap<'_> = &|n, a| format!("[TOOL_CALLS]{n}[ARGS]{a}");
        let phi: Wrap<'_> = &|n, a| format!("<|tool_call|>[{}]<|/tool_call|>", object(n, "arguments", a));
        let functools: Wrap<'_> = &|n, a| format!("functools[{}]", object(n, "arguments", a));
        let v3: Wrap<'_> = &|n, a| {
            format!(
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{n}\n```json\n{a}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
            )
        };
        let v31: Wrap<'_> = &|n, a| {
            format!(
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{n}<｜tool▁sep｜>{a}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
            )
        };
        for (template, wrap) in [
            (HERMES, hermes),
            ("{{ tools }}\"parameters\": ", llama),
            ("{{ tools }}[TOOL_CALLS]", listed),
            ("{{ messages[0].tools }}<|/tool|>", phi),
            ("{{ tools }}functools[", functools),
            ("{{ tools }}[TOOL_CALLS][ARGS]", marked),
            ("{{ tools }}<｜tool▁call▁begin｜>```json", v3),
            ("{{ tools }}<｜tool▁call▁begin｜>", v31),
        ] {
            let auto = tools(template, body(&json!({}))).unwrap().unwrap();
            let (good, bad) = ("{\"a\": 7}", "{\"a\": \"x\"}");
            for text in ["", "Just text, 1 < 2.", &wrap("f", good), &wrap("g", bad)] {
                assert!(allows(&auto, text), "{text}");
            }
            for text in [wrap("f", bad), wrap("f", "{}"), wrap("h", good)] {
                assert!(!allows(&auto, &text), "{text}");
            }
            if auto.format != Format::Bare {
                assert!(allows(&auto, &format!("Well: {} and {}.", wrap("f", good), wrap("f", good))));
                assert!(!allows(&auto, &format!("Well: {} and {}.", wrap("f", good), wrap("f", bad))));
            }
            let forced = tools(template, body(&json!({"tool_choice": "required"}))).unwrap().unwrap();
            assert!(allows(&forced, &wrap("f", good)), "{}", wrap("f", good));
            for text in ["text", &wrap("g", bad)] {
                assert!(!allows(&forced, text), "{text}");
            }
        }
        // Without strict functions nothing is constrained.
        assert!(tools(HERMES, json!({"tools": named(&["f"])})).unwrap().unwrap().constraint().is_none());
    }

    /// A call of Qwen3-Coder.
    fn elements(name: &str, parameters: &[(&str, &str)]) -> String {
        let one = |(key, value): &(&str, &str)| format!("<parameter={key}>\n{value}\n</parameter>\n");
        let all: String = parameters.iter().map(one).collect();
        format!("<tool_call>\n<function={name}>\n{all}</function>\n</tool_call>")
    }

    #[test]
    fn calls_as_elements_have_the_parameters_of_the_schema_in_its_order() {
        let schema = json!({"type": "object", "required": ["text", "unit"], "$defs": {"two": {"minItems": 2, "maxItems": 2,
                "type": "array", "items": {"type": "integer"}}}, "properties": {
            "text": {"type": "string"},
            "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "unit": {"enum": ["C", "F", null]},
            "pair": {"$ref": "#/$defs/two"},
            "either": {"anyOf": [{"type": "boolean"}, {"const": "maybe"}, {"type": "object", "properties": {"p": {"$ref": "#/$defs/two"}},
                "required": ["p"], "additionalProperties": false}]},
            "loose": {"type": ["string", "null"]}}});
        let of = |name: &str, more: Json| {
            let function = |name: &str| json!({"type": "function", "function": {"name": name, "strict": name == "f", "parameters": schema}});
            let mut body = json!({"tools": [function("f"), function("g")]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let template = "{{ tools }}<tool_call><function=..><parameter=..>";
            (name.to_string(), tools(template, body).unwrap().unwrap())
        };
        let forced = of("forced", json!({"tool_choice": "required"}));
        let auto = of("auto", json!({}));
        let one = of("one", json!({"tool_choice": "required", "parallel_tool_calls": false}));
        let least = [("text", "any \"text\"\n1 < 2 </p>\n"), ("unit", "F")];
        let call = elements("f", &least);
        for (name, tools) in [&forced, &auto, &one] {
            let with = |more: &[(&str, &str)]| allows(tools, &elements("f", &[&least[..], more].concat()));
            assert!(with(&[]), "{name}");
            assert!(allows(tools, &elements("f", &[("text", ""), ("n", "7"), ("unit", "null")])), "{name}");
            assert!(with(&[("pair", "[1, 2]"), ("either", "true"), ("loose", "null")]), "{name}");
            assert!(with(&[("either", "maybe")]) && with(&[("either", "{\"p\": [3, 4]}")]), "{name}");
            for wrong in [
                elements("h", &least),
                elements("f", &[]),
                elements("f", &least[..1]),
                elements("f", &[least[1], least[0]]),
                elements("f", &[("text", ""), ("n", "0"), ("unit", "F")]),
                elements("f", &[("text", ""), ("n", "x"), ("unit", "F")]),
                elements("f", &[("text", ""), ("unit", "K")]),
                // Marks in a text would end it.
                elements("f", &[("text", "a</parameter>b"), ("unit", "F")]),
                elements("f", &[("text", "a</function>b"), ("unit", "F")]),
                elements("f", &[("text", "a"), ("unit", "F"), ("other", "b")]),
            ] {
                assert!(!allows(tools, &wrong), "{name} {wrong}");
            }
            assert!(!with(&[("pair", "[1]")]) && !with(&[("pair", "[1, \"a\"]")]), "{name}");
            assert!(!with(&[("either", "7")]) && !with(&[("either", "{\"p\": [3]}")]), "{name}");
            let two = allows(tools, &format!("{call}\n{call}"));
            assert_eq!(two, name != "one", "{name}");
        }
        // Where calls are free, so are texts, the outer tag, and calls of what is not strict.
        for text in ["", "1 < 2 <tool_call> <func", &format!("Well: {call} and {call}.")] {
            assert!(allows(&auto.1, text) && !allows(&forced.1, text), "{text}");
        }
        assert!(allows(&auto.1, call.trim_start_matches("<tool_call>\n")));
        assert!(!allows(&auto.1, &elements("f", &[]).replace("<tool_call>\n", "")));
        let loose = elements("g", &[("unit", "K"), ("what", "a\nb")]);
        assert!(
            allows(&auto.1, &loose) && allows(&auto.1, &elements("g", &[])) && !allows(&forced.1, &loose)
        );
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
