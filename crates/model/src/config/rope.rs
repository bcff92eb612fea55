//! The rotary embedding's frequencies, as `modeling_rope_utils.py` of transformers computes them, from both spellings of the
//! configuration: `rope_theta` with `rope_scaling`, and `rope_parameters`.

use serde_json::{Map, Value, json};

use super::Fields;

const WHOLE_HEADS: &str = "heads are rotated whole; set it to 1";

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
    ///
    /// transformers computes these in f32, so they agree with its own once rounded to f32.
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

    /// Reads either spelling, or both where they agree; `default_theta` is the family's.
    pub fn parse(fields: &mut Fields<'_>, default_theta: f64) -> Self {
        fields.only("partial_rotary_factor", &json!(1.0), WHOLE_HEADS);
        let mut theta = fields.positive("rope_theta");
        let mut scaling = None;
        for key in ["rope_parameters", "rope_scaling"] {
            let Some(object) = fields.object(key).filter(|o| !o.is_empty()) else { continue };
            let (its_theta, its_scaling) = parse_object(fields, key, object);
            if let (Some(theta), Some(other)) = (theta, its_theta)
                && theta != other
            {
                fields.problem(format!("{key}.rope_theta is {other} but elsewhere it is {theta}; keep one"));
            }
            theta = theta.or(its_theta);
            if scaling.is_some_and(|s| s != its_scaling) {
                fields.problem("rope_parameters and rope_scaling contradict each other; keep one".into());
            }
            scaling = Some(its_scaling);
        }
        Self { theta: theta.unwrap_or(default_theta), scaling: scaling.unwrap_or(RopeScaling::None) }
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

/// Base, where it is given, and scaling of the object under `key`.
fn parse_object(
    fields: &mut Fields<'_>,
    key: &str,
    object: &Map<String, Value>,
) -> (Option<f64>, RopeScaling) {
    if object.values().any(Value::is_object) {
        fields
            .problem(format!("{key} differs by kind of layer; only one setting for all layers is supported"));
        return (None, RopeScaling::None);
    }
    let mut inner = Fields::new(object);
    inner.only("partial_rotary_factor", &json!(1.0), WHOLE_HEADS);
    let theta = inner.positive("rope_theta");
    let scaling = parse_scaling(&mut inner);
    let (problems, warnings) = inner.finish();
    problems.iter().for_each(|p| fields.problem(format!("{key}.{p}")));
    warnings.iter().for_each(|w| fields.warning(format!("{key}.{w}")));
    (theta, scaling)
}

fn parse_scaling(inner: &mut Fields<'_>) -> RopeScaling {
    let (kind, older_name) = (inner.string("rope_type"), inner.string("type"));
    let kind = kind.or(older_name).unwrap_or_else(|| "default".into());
    let mut need = |key: &str| {
        if inner.get(key).is_none() {
            inner.problem(format!("{key} is missing; scaling of type {kind} needs it"));
        }
        inner.positive(key).unwrap_or(1.0)
    };
    match kind.as_str() {
        "default" => RopeScaling::None,
        "linear" => RopeScaling::Linear { factor: need("factor") },
        "llama3" => {
            let (low_freq_factor, high_freq_factor) = (need("low_freq_factor"), need("high_freq_factor"));
            let factor = need("factor");
            let original_max_position = need("original_max_position_embeddings");
            if low_freq_factor >= high_freq_factor && inner.is_sound() {
                inner.problem(format!(
                    "high_freq_factor is {high_freq_factor}; it must be above low_freq_factor, {low_freq_factor}"
                ));
            }
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_position }
        }
        other => {
            inner.problem(format!(
                "rope_type = \"{other}\" is not supported; default, linear and llama3 are, so remove the scaling to use \
                 the model within its original context"
            ));
            RopeScaling::None
        }
    }
}
