//! A number with its source. What nobody has published stays unknown.

use serde::Deserialize;

/// A number, who says so, and when.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The number; none where it is unknown.
    pub value: Option<f64>,
    /// Who says so, or why it is unknown.
    #[serde(default)]
    pub source: String,
    /// When it was read or measured.
    #[serde(default)]
    pub date: String,
}

impl Figure {
    /// The number, where it is known.
    pub fn get(&self) -> Option<f64> {
        self.value
    }
}
