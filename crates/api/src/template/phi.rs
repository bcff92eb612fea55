//! What the template of Phi-4-mini leaves to its caller. It takes no functions by name: it shows a text that the system message brings along, which is how its
//! model card gives them (`transformers` and vLLM pass none, so vLLM ships a template of its own). And it leaves calls of earlier answers out, so they
//! become the text that the model wrote.

use serde_json::{Value as Json, json};

use super::python::one_line;
use crate::tools::PHI;

/// Messages as the template shows them.
pub(super) fn spell(messages: &mut Vec<Json>, tools: &[Json]) {
    for message in messages.iter_mut() {
        let Some(calls) = message["tool_calls"].as_array() else { continue };
        let calls = one_line(&functions(calls));
        let text = message["content"].as_str().unwrap_or_default();
        message["content"] = format!("{text}{}{calls}{}", PHI.call, PHI.call_end).into();
    }
    if tools.is_empty() {
        return;
    }
    if messages.first().is_none_or(|first| first["role"] != "system") {
        let content = "You are a helpful assistant with some tools.";
        messages.insert(0, json!({"role": "system", "content": content}));
    }
    messages[0]["tools"] = one_line(&functions(tools)).into();
}

fn functions(all: &[Json]) -> Vec<&Json> {
    all.iter().map(|one| &one["function"]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Template, Turn};
    use super::*;

    const TEMPLATE: &str = include_str!("../../tests/templates/phi4_mini.jinja");

    #[test]
    fn functions_and_calls_are_in_the_messages() {
        let render = |source: &str, messages: Json, tools: Json| {
            let template = Template::new(source.into(), String::new(), "<|endoftext|>".into()).unwrap();
            let turn = Turn { tools: tools.as_array().unwrap(), ..Turn::default() };
            template.render(&serde_json::from_value::<Vec<_>>(messages).unwrap(), &turn).unwrap()
        };
        let tools = json!([{"type": "function", "function": {"name": "f", "description": "ä"}}, {"type": "function", "function": {"name": "g"}}]);
        let listed = "<|tool|>[{\"name\": \"f\", \"description\": \"ä\"}, {\"name\": \"g\"}]<|/tool|><|end|>";
        let call =
            json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":[1]}"}});
        let messages = json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": "So.", "tool_calls": [call, call]},
            {"role": "tool", "tool_call_id": "1", "content": "7"}]);
        let spelled = "{\"name\": \"f\", \"arguments\": {\"a\": [1]}}";
        let rest = format!(
            "<|user|>x<|end|><|assistant|>So.<|tool_call|>[{spelled}, {spelled}]<|/tool_call|><|end|><|tool|>7<|end|><|assistant|>"
        );
        let own = "<|system|>You are a helpful assistant with some tools.";
        assert_eq!(render(TEMPLATE, messages.clone(), tools.clone()), format!("{own}{listed}{rest}"));
        assert_eq!(render(TEMPLATE, messages, json!([])), rest);
        let system = json!([{"role": "system", "content": "Be brief."}]);
        let text = render(TEMPLATE, system.clone(), tools.clone());
        assert_eq!(text, format!("<|system|>Be brief.{listed}<|assistant|>"));
        // A template that takes functions lists them itself.
        let takes = "{% for t in tools %}<|tool|>{{ t.function.name }}<|/tool|>{% endfor %}{% for m in messages %}{{ m.tools }}{% endfor %}";
        assert_eq!(render(takes, system, tools), "<|tool|>f<|/tool|><|tool|>g<|/tool|>");
    }
}
