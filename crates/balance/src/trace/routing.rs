//! Experts of every token, by layer, in safetensors.
//!
//! One integer tensor [tokens, k] for each layer, `layer_00`, `layer_01` and so on: the experts that the router chose for
//! each token. Tokens of rank 0 come first, then those of rank 1. The metadata may say `num_experts` (or `experts`),
//! `ranks`, `step` and `source`. The trainer's recorder and the published traces have the same form.

use std::{collections::HashMap, fs, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{TraceError, stem};

/// Routing of some tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What tables call it.
    pub name: String,
    /// Experts of every layer.
    pub num_experts: usize,
    /// Ranks that recorded it, if the recorder said so.
    pub ranks: Option<usize>,
    /// Optimizer step, if the recorder said so.
    pub step: Option<usize>,
    /// From the embedding upwards; all of the same tokens.
    pub layers: Vec<TraceLayer>,
}

/// Routing of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceLayer {
    /// Name of the tensor.
    pub name: String,
    /// Experts of a token.
    pub top_k: usize,
    /// `[token][choice]`
    pub experts: Vec<u32>,
}

impl TraceLayer {
    /// Tokens that were routed.
    pub fn num_tokens(&self) -> usize {
        self.experts.len() / self.top_k.max(1)
    }
}

impl Trace {
    /// Reads a file. `num_experts` stands in for metadata that do not say it; without either it is the highest id plus one.
    ///
    /// # Errors
    /// No layers, an empty layer, layers of different tokens or choices, an id out of range, or no safetensors file at all.
    pub fn read(path: &Path, num_experts: Option<usize>) -> Result<Self, TraceError> {
        let fail = |what: String| TraceError::new(path, what);
        let bytes = fs::read(path).map_err(|e| fail(format!("cannot read it: {e}")))?;
        let not_safetensors = |e| fail(format!("is no safetensors file: {e}"));
        let tensors = SafeTensors::deserialize(&bytes).map_err(not_safetensors)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(not_safetensors)?;
        let said = header.metadata().clone().unwrap_or_default();
        let number = |key: &str| -> Result<Option<usize>, TraceError> {
            let parse = |v: &String| {
                v.parse().map_err(|_| fail(format!("metadata `{key}` is `{v}`, no whole number")))
            };
            said.get(key).map(parse).transpose()
        };
        let stated = number("num_experts")?.or(number("experts")?);
        let mut trace = Self {
            name: stem(path),
            num_experts: 0,
            ranks: number("ranks")?,
            step: number("step")?,
            layers: layers(&tensors).map_err(fail)?,
        };
        let highest = trace.layers.iter().flat_map(|l| &l.experts).max().copied().unwrap_or(0) as usize;
        trace.num_experts = stated.or(num_experts).unwrap_or(highest.saturating_add(1));
        if trace.num_experts > MOST_EXPERTS {
            return Err(fail(format!(
                "has {} experts, at most {MOST_EXPERTS} are believed; if an id is wrong, record it again, else give the number of experts",
                trace.num_experts
            )));
        }
        trace.check(number("top_k")?).map_err(fail)?;
        Ok(trace)
    }

    /// Writes a file that [`Trace::read`] reads: ids as u8 where they fit, else as u16 or i32. Whole or not at all.
    ///
    /// # Errors
    /// What [`Trace::read`] would refuse, or a file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TraceError> {
        let fail = |what: String| TraceError::new(path, what);
        self.check(None).map_err(fail)?;
        let (dtype, width) = match self.num_experts {
            0..=256 => (Dtype::U8, 1),
            257..=65536 => (Dtype::U16, 2),
            _ => (Dtype::I32, 4),
        };
        let bytes = |l: &TraceLayer| -> Vec<u8> {
            l.experts.iter().flat_map(|e| e.to_le_bytes().into_iter().take(width)).collect()
        };
        let data: Vec<Vec<u8>> = self.layers.iter().map(bytes).collect();
        let views = self.layers.iter().zip(&data).enumerate().map(|(i, (layer, data))| {
            let shape = vec![layer.num_tokens(), layer.top_k];
            let view = TensorView::new(dtype, shape, data).expect("one id of that width for each choice");
            (if layer.name.is_empty() { format!("layer_{i:02}") } else { layer.name.clone() }, view)
        });
        let said = [
            ("num_experts", Some(self.num_experts)),
            ("top_k", self.layers.first().map(|l| l.top_k)),
            ("ranks", self.ranks),
            ("step", self.step),
        ];
        let said: HashMap<String, String> =
            said.into_iter().filter_map(|(key, n)| Some((key.to_owned(), n?.to_string()))).collect();
        let file = safetensors::serialize(views, Some(said)).map_err(|e| fail(e.to_string()))?;
        collegium_checkpoint::write_file(path, &file).map_err(|e| fail(e.to_string()))
    }

    /// The first thing that makes this no trace.
    fn check(&self, stated_k: Option<usize>) -> Result<(), String> {
        let Some(first) = self.layers.first() else {
            return Err(
                "has no layers; expected integer tensors [tokens, k] named layer_00, layer_01, ...".into()
            );
        };
        for layer in &self.layers {
            let TraceLayer { name, top_k, experts } = layer;
            if experts.is_empty() {
                return Err(format!("layer `{name}` has no tokens; leave it out or record it again"));
            }
            if !experts.len().is_multiple_of(*top_k) {
                let ids = experts.len();
                return Err(format!(
                    "layer `{name}` has {ids} ids, no whole number of tokens with {top_k} choices"
                ));
            }
            let k = stated_k.unwrap_or(first.top_k);
            if *top_k != k {
                let by = if stated_k.is_some() {
                    "the metadata say".to_owned()
                } else {
                    format!("layer `{}` has", first.name)
                };
                return Err(format!(
                    "layer `{name}` has {top_k} choices a token where {by} {k}; all layers must have the same"
                ));
            }
            if layer.num_tokens() != first.num_tokens() {
                return Err(format!(
                    "layer `{name}` has {} tokens, layer `{}` has {}; all layers must be of the same tokens",
                    layer.num_tokens(),
                    first.name,
                    first.num_tokens()
                ));
            }
            if let Some(at) = experts.iter().position(|&e| e as usize >= self.num_experts) {
                return Err(format!(
                    "layer `{name}`, token {}: expert {} is out of range, the layer has experts 0 to {}; if there are more, the metadata must say num_experts",
                    at / top_k,
                    shown(experts[at]),
                    self.num_experts.saturating_sub(1)
                ));
            }
        }
        Ok(())
    }
}

/// Ids that do not fit are kept as numbers that are out of any range; negative ones are shown as such.
fn shown(id: u32) -> String {
    if id == NEGATIVE { "below 0 (padding?)".to_owned() } else { id.to_string() }
}

/// More experts in a layer are a damaged file, not a model.
const MOST_EXPERTS: usize = 1 << 16;

/// Stands for a negative id.
const NEGATIVE: u32 = u32::MAX;

/// All layers of a file, in the order of the numbers in their names.
fn layers(tensors: &SafeTensors<'_>) -> Result<Vec<TraceLayer>, String> {
    let mut names: Vec<&str> = tensors.names();
    names.sort_by_key(|name| (numbers(name), (*name).to_owned()));
    let mut layers = Vec::new();
    for name in names {
        let tensor = tensors.tensor(name).map_err(|e| e.to_string())?;
        let width = match tensor.dtype() {
            Dtype::U8 | Dtype::I8 => 1,
            Dtype::U16 | Dtype::I16 => 2,
            Dtype::U32 | Dtype::I32 => 4,
            Dtype::U64 | Dtype::I64 => 8,
            other if is_layer(name) => {
                return Err(format!("layer `{name}` is of {other:?}; expert ids must be integers"));
            }
            // Gates and the like may lie beside the ids.
            _ => continue,
        };
        let &[_, top_k] = tensor.shape() else {
            if is_layer(name) {
                return Err(format!("layer `{name}` has shape {:?}; expected [tokens, k]", tensor.shape()));
            }
            continue;
        };
        if top_k == 0 {
            return Err(format!("layer `{name}` has no choices: its shape is {:?}", tensor.shape()));
        }
        let signed = matches!(tensor.dtype(), Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64);
        let experts = tensor.data().chunks_exact(width).map(|b| id(b, signed)).collect();
        layers.push(TraceLayer { name: name.to_owned(), top_k, experts });
    }
    Ok(layers)
}

/// A little-endian integer as an expert id.
fn id(bytes: &[u8], signed: bool) -> u32 {
    if signed && bytes.last().is_some_and(|b| b & 0x80 != 0) {
        return NEGATIVE;
    }
    let value = bytes.iter().rev().fold(0u64, |n, &b| (n << 8) | u64::from(b));
    u32::try_from(value).unwrap_or(NEGATIVE - 1)
}

/// `layer_7`, `layers.7.router`, `layer7`: a name that promises routing.
fn is_layer(name: &str) -> bool {
    name.strip_prefix("layer").is_some_and(|rest| rest.trim_start_matches(['_', '.']).parse::<u32>().is_ok())
}

/// The numbers in a name, so that layer_10 comes after layer_9.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
}
