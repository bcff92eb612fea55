//! Chat templates of checkpoints, as `transformers` renders them: Jinja with blocks trimmed and Python's methods on strings.

mod phi;

use std::fmt::Write;
use std::io;
use std::path::Path;

use minijinja::value::Kwargs;
use minijinja::{Environment, ErrorKind, Value, context};
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::ApiError;
use crate::tools::PHI;
use crate::wire::Message;

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
    pub more: Option<&'a serde_json::Map<String, Json>>,
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

/// A time as Python's `strftime` writes it.
fn strftime(time: chrono::DateTime<chrono::Local>, format: &str) -> Result<String, minijinja::Error> {
    let mut text = String::new();
    write!(text, "{}", time.format(format)).map_err(|_| {
        let message = format!("strftime_now does not know the format {format:?}");
        minijinja::Error::new(ErrorKind::InvalidOperation, message)
    })?;
    Ok(text)
}

/// JSON as `transformers` writes it for templates: Python's separators, the keys in their order, and nothing escaped for HTML.
fn to_json(value: &Value, options: Kwargs) -> Result<Value, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    // Texts are never escaped to ASCII.
    options.get::<Option<bool>>("ensure_ascii")?;
    options.assert_all_used()?;
    let refuse = |e: serde_json::Error| minijinja::Error::new(ErrorKind::BadSerialization, e.to_string());
    let text = if let Some(width) = indent {
        let spaces = " ".repeat(width);
        written(value, PrettyFormatter::with_indent(spaces.as_bytes()))
    } else {
        let mut given = separators.unwrap_or_default().into_iter();
        let mut next = |default: &str| given.next().unwrap_or_else(|| default.into());
        written(value, Separated { item: next(", "), key: next(": ") })
    };
    Ok(Value::from_safe_string(text.map_err(refuse)?))
}

fn written(value: &impl Serialize, format: impl Formatter) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, format))?;
    Ok(String::from_utf8(text).expect("JSON is UTF-8"))
}

/// JSON as Python writes it.
fn one_line(value: &[&Json]) -> String {
    let format = Separated { item: ", ".into(), key: ": ".into() };
    written(&value, format).expect("it is JSON already")
}

/// JSON on one line.
struct Separated {
    item: String,
    key: String,
}

impl Separated {
    fn next(&self, writer: &mut (impl io::Write + ?Sized), is_first: bool) -> io::Result<()> {
        if is_first { Ok(()) } else { writer.write_all(self.item.as_bytes()) }
    }
}

impl Formatter for Separated {
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.next(writer, is_first)
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.next(writer, is_first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }
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

    /// Written as Qwen3's: functions as JSON, calls of earlier answers with arguments as objects, and their results.
    const CALLS: &str = "{%- if tools %}\n    {{- '<tools>' }}\n    {%- for tool in tools %}\n        {{- \"\\n\" }}\n        {{- tool | tojson }}\n    {%- endfor %}\n    {{- '</tools>\\n' }}\n{%- endif %}\n{%- for m in messages %}\n    {{- m.role + ':' + m.content }}\n    {%- if m.tool_calls %}\n        {%- for call in m.tool_calls %}\n            {%- if call.function %}\n                {%- set call = call.function %}\n            {%- endif %}\n            {{- '<tool_call>{\"name\": \"' + call.name + '\", \"arguments\": ' }}\n            {%- if call.arguments is string %}\n                {{- call.arguments }}\n            {%- else %}\n                {{- call.arguments | tojson }}\n            {%- endif %}\n            {{- '}</tool_call>' }}\n        {%- endfor %}\n    {%- endif %}\n{%- endfor %}";

    #[test]
    fn tools_and_calls_are_what_transformers_makes_of_them() {
        let template = Template::new(CALLS.into(), String::new(), String::new()).unwrap();
        let tools: Json = serde_json::from_str(
            r#"[{"type": "function", "function": {"name": "f", "description": "Ä & <b> it's"}}]"#,
        )
        .unwrap();
        let messages: Vec<Message> = serde_json::from_str(
            r#"[{"role": "user", "content": "x"}, {"role": "assistant", "content": null, "tool_calls":
                [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"b\":1.0,\"a\":[true,{}]}"}}]},
                {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "7"}]}]"#,
        )
        .unwrap();
        let turn = Turn { tools: tools.as_array().unwrap(), ..Turn::default() };
        let text = template.render(&messages, &turn).unwrap();
        let expected = "<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"f\", \"description\": \"Ä & <b> it's\"}}</tools>\nuser:xassistant:<tool_call>{\"name\": \"f\", \"arguments\": {\"b\": 1.0, \"a\": [true, {}]}}</tool_call>tool:7";
        assert_eq!(text, expected);
        assert!(template.render(&messages, &Turn::default()).unwrap().starts_with("user:x"));
        let asks = "{{ tools is none }}{% if tools is iterable and tools | length > 0 %}!{% endif %}";
        let asks = Template::new(asks.into(), String::new(), String::new()).unwrap();
        assert_eq!(asks.render(&messages, &turn).unwrap(), "False!");
        assert_eq!(asks.render(&messages, &Turn::default()).unwrap(), "True");
        let mut bad = messages.clone();
        bad[1].tool_calls.as_mut().unwrap()[0].function.arguments = "[1]".into();
        let error = template.render(&bad, &turn).unwrap_err();
        assert!(error.message.contains("no object") && error.param.as_deref() == Some("messages"));
        let pretty = "{{ [{'a': 1}] | tojson(indent=2) }}{{ [1, 2] | tojson(separators=(',', ':')) }}";
        let template = Template::new(pretty.into(), String::new(), String::new()).unwrap();
        let text = template.render(&messages, &turn).unwrap();
        assert_eq!(text, "[\n  {\n    \"a\": 1\n  }\n][1,2]");
    }

    /// Written as Llama 3's: a date where the server has one, else its own.
    #[test]
    fn templates_get_todays_date() {
        let source =
            "{%- if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}26 Jul 2024{% endif %}";
        let template = Template::new(source.into(), String::new(), String::new()).unwrap();
        let today = || strftime(chrono::Local::now(), "%d %b %Y").unwrap();
        let (before, text, after) =
            (today(), template.render(&messages(), &Turn::default()).unwrap(), today());
        assert!([before, after].contains(&text), "{text}");
        // What Python's datetime(2024, 7, 6, 15, 4, 5).strftime gives in the C locale.
        use chrono::TimeZone;
        let time = chrono::Local.with_ymd_and_hms(2024, 7, 6, 15, 4, 5).unwrap();
        for (format, expected) in [
            ("%d %B %Y", "06 July 2024"),
            ("%-d %b %y, %A %a", "6 Jul 24, Saturday Sat"),
            ("%Y-%m-%dT%H:%M:%S %I%p", "2024-07-06T15:04:05 03PM"),
            ("%j %U %W %w %u %G-W%V %%", "188 26 27 6 6 2024-W27 %"),
            ("%F %T %D %R", "2024-07-06 15:04:05 07/06/24 15:04"),
        ] {
            assert_eq!(strftime(time, format).unwrap(), expected);
        }
        let bad = "{{ strftime_now('%Q') }}".to_string();
        let template = Template::new(bad, String::new(), String::new()).unwrap();
        let error = template.render(&messages(), &Turn::default()).unwrap_err();
        assert!(error.message.contains("format \"%Q\""), "{}", error.message);
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
