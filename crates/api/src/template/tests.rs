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
    let (before, text, after) = (today(), template.render(&messages(), &Turn::default()).unwrap(), today());
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

#[test]
fn a_checkpoints_template_and_its_tokens_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let read = || Template::from_folder(folder.path()).unwrap();
    assert!(!read().is_given());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // Tokens as a text and as an object; of several templates, the one named so.
    let config = r#"{"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template":
        [{"name": "rag", "template": "no"}, {"name": "default", "template": "{{ bos_token }}{{ eos_token }}"}]}"#;
    write("tokenizer_config.json", config);
    let render = |template: Template| template.render(&messages(), &Turn::default()).unwrap();
    assert_eq!(render(read()), "<s></s>");
    write("chat_template.jinja", "{{ eos_token }}");
    assert_eq!(render(read()), "</s>");
    write("tokenizer_config.json", r#"{"chat_template": "no"}"#);
    assert_eq!(render(read()), "");
}
