//! The rotary embedding's frequencies, as `modeling_rope_utils.py` of transformers computes them, from both spellings of the
//! configuration: `rope_theta` with `rope_scaling`, and `rope_parameters`.

use serde_json::{Map, Value, json};

use super::Fields;

/// Rotary embedding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f64,
    /// How they are stretched to longer contexts.
    pub scaling: RopeScaling,
}

/// Stretching of frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// None.
    None,
    /// Every frequency divided by a factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Low frequencies divided by a factor, high ones kept, in between a blend (Llama 3.1).
    Llama3 {
        /// The factor.
        factor: f64,
        /// Wavelengths above `original / low` are stretched whole.
        low_freq_factor: f64,
        /// Wavelengths below `original / high` are kept.
        high_freq_factor: f64,
        /// Context the frequencies were made for.
        original_max_position: f64,
    },
}

impl Rope {
    /// Radians per position of each pair of a head.
    pub fn inv_frequencies(&self, head_dim: usize) -> Vec<f64> {
        let plain = (0..head_dim / 2).map(|i| self.theta.powf(-((2 * i) as f64) / head_dim as f64));
        plain.map(|f| self.stretch(f)).collect()
    }

    fn stretch(&self, frequency: f64) -> f64 {
        match self.scaling {
            RopeScaling::None => frequency,
            RopeScaling::Linear { factor } => frequency / factor,
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_position } => {
                let wavelength = 2.0 * std::f64::consts::PI / frequency;
                if wavelength < original_max_position / high_freq_factor {
                    frequency
                } else if wavelength > original_max_position / low_freq_factor {
                    frequency / factor
                } else {
                    let blend = (original_max_position / wavelength - low_freq_factor)
                        / (high_freq_factor - low_freq_factor);
                    (1.0 - blend) * frequency / factor + blend * frequency
                }
            }
        }
    }

    /// Reads either spelling; `theta` is the family's default.
    pub fn parse(fields: &mut Fields<'_>, theta: f64) -> Self {
        let theta = fields.number("rope_theta").unwrap_or(theta);
        fields.only("partial_rotary_factor", &json!(1.0), "only whole heads are rotated");
        let old = fields.get("rope_scaling").cloned();
        let new = fields.get("rope_parameters").cloned();
        let empty = Map::new();
        let from = |v: &Option<Value>| v.as_ref().and_then(Value::as_object).cloned();
        let object = from(&new).or_else(|| from(&old)).unwrap_or(empty);
        let mut inner = Fields::new(&object);
        let theta = inner.number("rope_theta").unwrap_or(theta);
        inner.only("partial_rotary_factor", &json!(1.0), "only whole heads are rotated");
        let kind =
            inner.string("rope_type").or_else(|| inner.string("type")).unwrap_or_else(|| "default".into());
        let mut need = |key: &str| {
            let value = inner.number(key);
            if value.is_none() {
                inner.problem(format!("rope scaling of type {kind} lacks {key}"));
            }
            value.unwrap_or(1.0)
        };
        let scaling = match kind.as_str() {
            "default" => RopeScaling::None,
            "linear" => RopeScaling::Linear { factor: need("factor") },
            "llama3" => RopeScaling::Llama3 {
                factor: need("factor"),
                low_freq_factor: need("low_freq_factor"),
                high_freq_factor: need("high_freq_factor"),
                original_max_position: need("original_max_position_embeddings"),
            },
            other => {
                fields.problem(format!(
                    "rope_type = {other:?} is not supported; default, linear and llama3 are"
                ));
                RopeScaling::None
            }
        };
        if theta <= 0.0 {
            fields.problem(format!("rope_theta is {theta}; it must be above 0"));
        }
        for problem in inner.finish().0 {
            fields.problem(problem);
        }
        Self { theta, scaling }
    }

    /// Writes both spellings.
    pub fn write(&self, map: &mut Map<String, Value>) {
        let mut scaling = Map::new();
        let mut set = |key: &str, value: Value| scaling.insert(key.to_string(), value);
        match self.scaling {
            RopeScaling::None => {
                set("rope_type", json!("default"));
            }
            RopeScaling::Linear { factor } => {
                set("rope_type", json!("linear"));
                set("factor", json!(factor));
            }
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_position } => {
                set("rope_type", json!("llama3"));
                set("factor", json!(factor));
                set("low_freq_factor", json!(low_freq_factor));
                set("high_freq_factor", json!(high_freq_factor));
                set("original_max_position_embeddings", json!(original_max_position as u64));
            }
        }
        let old =
            if self.scaling == RopeScaling::None { Value::Null } else { Value::Object(scaling.clone()) };
        scaling.insert("rope_theta".into(), json!(self.theta));
        map.insert("rope_theta".into(), json!(self.theta));
        map.insert("rope_scaling".into(), old);
        map.insert("rope_parameters".into(), Value::Object(scaling));
    }
}
