use collegium_data::Tokenizer;
use serde_json::{Value as Json, json};

use super::super::tests::{HERMES, named, tools};
use super::*;
use crate::Template;

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
    assert!(allows(&auto.1, &loose) && allows(&auto.1, &elements("g", &[])) && !allows(&forced.1, &loose));
}

#[test]
fn elements_of_schemas_that_say_little() {
    let of = |schema: Json| {
        let function = json!({"name": "f", "parameters": schema});
        let body = json!({"tools": [{"type": "function", "function": function}], "tool_choice": "required"});
        tools("{{ tools }}<tool_call><function=..><parameter=..>", body).unwrap().unwrap()
    };
    for schema in [json!(null), json!({}), json!({"type": "object"}), json!({"properties": {}})] {
        assert!(allows(&of(schema.clone()), &elements("f", &[])), "{schema}");
        assert!(!allows(&of(schema.clone()), &elements("f", &[("a", "x")])), "{schema}");
    }
    let loose = of(json!({"properties": {"a": {}, "b": true}}));
    assert!(allows(&loose, &elements("f", &[])) && allows(&loose, &elements("f", &[("a", "x"), ("b", "7")])));
}
