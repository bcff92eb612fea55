use serde_json::{Value as Json, json};

use super::*;

pub(super) const HERMES: &str = "{% if tools %}{{ tools }}<tool_call>{% endif %}";

/// The tools of a body with `more` in it.
pub(super) fn tools(template: &str, more: Json) -> Result<Option<Tools>, ApiError> {
    let template = Template::new(template.into(), String::new(), String::new()).unwrap();
    let mut body = json!({"messages": []});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Tools::of(&serde_json::from_value(body).unwrap(), &template, &Tokenizer::bytes())
}

/// Functions without parameters.
pub(super) fn named(names: &[&str]) -> Json {
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
