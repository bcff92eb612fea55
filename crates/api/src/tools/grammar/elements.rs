//! Arguments as elements around bare text.

use serde_json::{Map, Value as Json, json};

use super::super::format::ELEMENT;
use super::super::parameters::{Kind, kinds, written};
use super::super::{Function, Tools};
use super::{compact, regex_escaped};

impl Tools {
    /// The rules of arguments as elements: the parameters of the schema, in its order.
    pub(super) fn elements(&self, index: usize, function: &Function) -> String {
        let begin = |key: &str| self.literal(&format!("{}{key}>\n", ELEMENT.parameter));
        if !self.holds(function) {
            let mark = self.literal(ELEMENT.parameter);
            return format!("args_{index}: any_{index}*\nany_{index}: {mark} /[^<>\\n]+/ \">\\n\" value\n");
        }
        let schema = &function.parameters;
        let (mut all, mut rules) = (String::new(), String::new());
        let properties = schema.get("properties").and_then(Json::as_object);
        let required = schema.get("required").and_then(Json::as_array);
        for (at, key) in properties.into_iter().flat_map(Map::keys).enumerate() {
            let is_required = required.is_some_and(|all| all.contains(&json!(key)));
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

    /// The rule of a text and the mark of its end: it holds no mark.
    pub(super) fn values(&self) -> String {
        let ends: Vec<String> = ELEMENT.ends().map(|end| end.chars().map(regex_escaped).collect()).into();
        let end = self.literal(&format!("\n{}\n", ELEMENT.parameter_end));
        let none = format!("~/(?s:.*)({})(?s:.*)/", ends.join("|"));
        format!("value[lazy]: FREE {end}\nFREE: /(?s:.*)/ & {none}\n")
    }
}
