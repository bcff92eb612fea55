//! Parameters whose values are bare text: the schema says of what type they are.

use serde_json::{Map, Value as Json};

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'s> {
    /// Any text.
    Text,
    /// This alone.
    Only(&'s Json),
    /// JSON of this schema.
    Json(&'s Json),
}

impl Kind<'_> {
    fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Only(Json::String(_)))
    }
}

/// Most schemas that are looked at for one parameter: references may go in circles.
const MOST_SCHEMAS: usize = 200;

/// What the parameter `key` may be, by the schema of all parameters. What that leaves open is text, as in vLLM.
pub(super) fn kinds<'s>(parameters: &'s Map<String, Json>, key: &str) -> Vec<Kind<'s>> {
    let mut kinds = Vec::new();
    match parameters.get("properties").and_then(|all| all.get(key)) {
        Some(schema) => collect(parameters, schema, &mut { MOST_SCHEMAS }, &mut kinds),
        None => kinds.push(Kind::Text),
    }
    kinds
}

fn collect<'s>(root: &'s Map<String, Json>, schema: &'s Json, left: &mut usize, kinds: &mut Vec<Kind<'s>>) {
    if *left == 0 {
        return kinds.push(Kind::Text);
    }
    *left -= 1;
    if let Some(target) = schema["$ref"].as_str().and_then(|path| target(root, path)) {
        return collect(root, target, left, kinds);
    }
    if let Some(only) = schema.get("const") {
        return kinds.push(Kind::Only(only));
    }
    if let Some(all) = schema["enum"].as_array() {
        return kinds.extend(all.iter().map(Kind::Only));
    }
    let parts = ["anyOf", "oneOf", "allOf"].into_iter().find_map(|word| {
        let parts = schema[word].as_array()?;
        // All of several is no choice.
        (word != "allOf" || parts.len() == 1).then_some(parts)
    });
    if let Some(parts) = parts {
        return parts.iter().take(*left).for_each(|part| collect(root, part, left, kinds));
    }
    let types = types(schema);
    if types.is_empty() || types.contains(&"string") {
        kinds.push(Kind::Text);
    }
    if types.iter().any(|name| *name != "string") {
        kinds.push(Kind::Json(schema));
    }
}

/// What a reference within the schema means.
fn target<'s>(root: &'s Map<String, Json>, path: &str) -> Option<&'s Json> {
    let (first, rest) = path.strip_prefix("#/")?.split_once('/')?;
    root.get(first)?.pointer(&format!("/{rest}"))
}

fn types(schema: &Json) -> Vec<&str> {
    match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(all) => all.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether all of them are texts.
pub(super) fn is_text(kinds: &[Kind<'_>]) -> bool {
    kinds.iter().all(Kind::is_text)
}

/// How a value is written: a text as it is, all else as JSON.
pub(super) fn written(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), Into::into)
}

/// The JSON of a value that is written as `text`. What no kind allows is a text.
pub(super) fn json_of(text: &str, kinds: &[Kind<'_>]) -> String {
    let is_so = |kind: &&Kind<'_>| matches!(kind, Kind::Only(only) if written(only) == text);
    if let Some(Kind::Only(only)) = kinds.iter().find(is_so) {
        return only.to_string();
    }
    let may_be_text = kinds.iter().any(Kind::is_text);
    // Templates that run in Python show a model its own names of these.
    let word = text.trim().to_ascii_lowercase();
    let json = match word.as_str() {
        "true" | "false" | "null" => word,
        "none" => "null".into(),
        _ => text.trim().to_string(),
    };
    let allows = |value: Json| {
        let fits = |kind: &Kind<'_>| matches!(kind, Kind::Json(schema) if is_of(&value, &types(schema)));
        !may_be_text || kinds.iter().any(fits)
    };
    match serde_json::from_str(&json).is_ok_and(allows) {
        true => json,
        false => Json::from(text).to_string(),
    }
}

fn is_of(value: &Json, types: &[&str]) -> bool {
    let name = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => return types.iter().any(|name| ["integer", "number"].contains(name)),
        // Where a text may stand, it stands without quotes.
        Json::String(_) => return false,
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    types.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What `text` is as a value of the parameter `p` of this schema.
    fn read(schema: Json, text: &str) -> String {
        let parameters = json!({"properties": {"p": schema}, "$defs": {"unit": {"enum": ["C", "F"]}}});
        json_of(text, &kinds(parameters.as_object().unwrap(), "p"))
    }

    #[test]
    fn the_schema_says_what_a_text_is() {
        let many = json!({"type": "array", "items": {"type": "integer"}});
        for (schema, text, expected) in [
            (json!({"type": "string"}), "7", "\"7\""),
            (json!({"type": "string"}), "null", "\"null\""),
            (json!({"type": "string"}), " a \"b\"\n", "\" a \\\"b\\\"\\n\""),
            (json!({"type": "integer"}), "7", "7"),
            (json!({"type": "integer"}), "12345678901234567890123", "12345678901234567890123"),
            (json!({"type": "integer"}), "seven", "\"seven\""),
            (json!({"type": "number"}), " 1e3\n", "1e3"),
            (json!({"type": "boolean"}), "True", "true"),
            (json!({"type": "boolean"}), "yes", "\"yes\""),
            (json!({"type": "integer"}), "None", "null"),
            (json!({"type": "null"}), "null", "null"),
            (many.clone(), "[1,\n 2]", "[1,\n 2]"),
            (many, "[1,", "\"[1,\""),
            (json!({"type": "object"}), "{\"a\": \"b\"}", "{\"a\": \"b\"}"),
            // Nothing is said.
            (json!({}), "7", "\"7\""),
            (json!(true), "7", "\"7\""),
            // A text or something else: what reads as that is that.
            (json!({"type": ["string", "null"]}), "null", "null"),
            (json!({"type": ["string", "null"]}), "7", "\"7\""),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), "7", "7"),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), "7.5", "\"7.5\""),
            (json!({"oneOf": [{"type": "number"}, {"type": "string"}]}), "7.5", "7.5"),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), "\"7\"", "\"\\\"7\\\"\""),
            // One of some.
            (json!({"enum": ["7", 8, null]}), "7", "\"7\""),
            (json!({"enum": ["7", 8, null]}), "8", "8"),
            (json!({"const": false}), "false", "false"),
            (json!({"$ref": "#/$defs/unit"}), "C", "\"C\""),
            (json!({"allOf": [{"$ref": "#/$defs/unit"}]}), "7", "\"7\""),
            (json!({"$ref": "#/$defs/none"}), "7", "\"7\""),
        ] {
            assert_eq!(read(schema.clone(), text), expected, "{schema} {text:?}");
        }
    }

    #[test]
    fn references_in_circles_end() {
        let q = json!({"$ref": "#/properties/q"});
        let parameters = json!({"properties": {"p": {"$ref": "#/properties/p"}, "q": {"anyOf": [q, q, q]}}});
        let parameters = parameters.as_object().unwrap();
        assert_eq!(kinds(parameters, "p"), [Kind::Text]);
        assert!(is_text(&kinds(parameters, "q")));
    }
}
