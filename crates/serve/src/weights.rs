//! Weights from a checkpoint to the device, laid out as the step's program takes them.

use std::collections::HashMap;

use collegium_core::{DType, ExpertId, HostTensor};
use collegium_hlo::{Dim, Packed};
use collegium_kernels::prepacked;
use collegium_model::config::ModelConfig;
use collegium_model::params::{self, GroupKey, ParamGroup};
use collegium_model::programs::Packing;
use collegium_runtime::{Array, Backend};
use collegium_train::TrainError;
use collegium_train::engine::{Values, shape_of};

use crate::runner::Spread;

/// Reads every parameter, by the names of the step's program. Where experts are spread, each rank has its own, and room for others.
pub(crate) fn load(
    backend: &dyn Backend,
    config: &ModelConfig,
    (dtype, packing): (DType, Packing),
    spread: Option<&Spread>,
    value: &mut Values<'_>,
) -> Result<HashMap<String, Array>, TrainError> {
    let mut loader = Loader { backend, dtype, packing, spread, weights: HashMap::new() };
    for group in params::groups(config) {
        loader.group(&group, config.tie_word_embeddings, value)?;
    }
    for (index, layer) in config.layers.iter().enumerate() {
        if let Some(moe) = layer.feed_forward.moe() {
            let zeros = HostTensor::zeros(DType::F32, &[moe.num_experts]);
            loader.put(format!("layers.{index}.router_bias"), &zeros)?;
        }
    }
    if let Some(embed) = loader.weights.get("embed").cloned() {
        loader.weights.entry("lm_head".into()).or_insert(embed);
    }
    Ok(loader.weights)
}

struct Loader<'b> {
    backend: &'b dyn Backend,
    dtype: DType,
    packing: Packing,
    spread: Option<&'b Spread>,
    weights: HashMap<String, Array>,
}

/// The projections that are packed as one matrix.
const TOGETHER: [&str; 3] = ["self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"];

impl Loader<'_> {
    fn group(&mut self, group: &ParamGroup, is_tied: bool, value: &mut Values<'_>) -> Result<(), TrainError> {
        let prefix = match group.key {
            GroupKey::Layer(layer) | GroupKey::Experts(layer) => format!("layers.{layer}."),
            GroupKey::Embed | GroupKey::Head => String::new(),
        };
        let is_packed = self.packing != Packing::Natural;
        let mut together: Vec<f32> = Vec::new();
        for (spec, (name, sizes)) in group.params.iter().zip(shape_of(group).params) {
            let mut values = Vec::new();
            for expert in 0..group.experts.unwrap_or(1) {
                values.extend(value(&spec.name_of(expert), &sizes)?);
            }
            if name == "embed" && is_tied && is_packed {
                self.pack("lm_head".into(), None, &sizes, &values)?;
            }
            let full = format!("{prefix}{name}");
            match name.as_str() {
                name if is_packed && TOGETHER.contains(&name) => {
                    together.extend(values);
                    if name == TOGETHER[2] {
                        let sizes = [together.len() / sizes[1], sizes[1]];
                        let name = format!("{prefix}self_attn.qkv_proj.weight");
                        self.pack(name, None, &sizes, &together)?;
                    }
                }
                name if is_packed && is_product(name) => self.pack(full, group.experts, &sizes, &values)?,
                _ => {
                    let sizes: Vec<usize> = group.experts.into_iter().chain(sizes).collect();
                    let tensor = self.natural(&sizes, &values);
                    match group.experts {
                        Some(_) => self.put_experts(full, &tensor)?,
                        None => self.put(full, &tensor)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn natural(&self, sizes: &[usize], values: &[f32]) -> HostTensor {
        match self.dtype {
            DType::Bf16 => {
                let narrow: Vec<half::bf16> = values.iter().copied().map(half::bf16::from_f32).collect();
                HostTensor::new(sizes, &narrow)
            }
            _ => HostTensor::new(sizes, values),
        }
    }

    /// A matrix {out, in}, or one of each slot.
    fn pack(
        &mut self,
        name: String,
        slots: Option<usize>,
        sizes: &[usize],
        values: &[f32],
    ) -> Result<(), TrainError> {
        let (features, inner) = (sizes[0], sizes[1]);
        let matrices = values.chunks(features * inner);
        let packed_as = if self.packing == Packing::Int8 { DType::I8 } else { self.dtype };
        let (dims, scale_dims) = Packed::dims(packed_as, slots, features, inner);
        let sized = |dims: &[Dim]| dims.iter().map(|d| d.size).collect::<Vec<_>>();
        let put = if slots.is_some() { Self::put_experts } else { Self::put };
        let tensor = match packed_as {
            DType::I8 => {
                let (mut all, mut scales) = (Vec::new(), Vec::new());
                for matrix in matrices {
                    let (values, own) = prepacked::pack_int8(matrix, inner);
                    all.extend(values);
                    scales.extend(own);
                }
                let scales = HostTensor::new(&sized(&scale_dims), &scales);
                put(self, format!("{name}.scales"), &scales)?;
                HostTensor::new(&sized(&dims), &all)
            }
            DType::Bf16 => {
                let all: Vec<_> = matrices.flat_map(|m| prepacked::pack_bf16(m, inner)).collect();
                HostTensor::new(&sized(&dims), &all)
            }
            _ => {
                let all: Vec<_> = matrices.flat_map(|m| prepacked::pack_f32(m, inner)).collect();
                HostTensor::new(&sized(&dims), &all)
            }
        };
        put(self, name, &tensor)
    }

    /// The same on every rank.
    fn put(&mut self, name: String, tensor: &HostTensor) -> Result<(), TrainError> {
        self.weights.insert(name, self.backend.replicate(tensor)?);
        Ok(())
    }

    /// Matrices {expert, ..}: on each rank those of its slots.
    fn put_experts(&mut self, name: String, tensor: &HostTensor) -> Result<(), TrainError> {
        let Some(spread) = self.spread else { return self.put(name, tensor) };
        let experts = tensor.sizes()[0];
        let size = tensor.bytes().len() / experts;
        let of_slot = |expert: &Option<ExpertId>| match expert {
            Some(expert) => tensor.bytes()[expert.index() * size..][..size].to_vec(),
            None => vec![0; size],
        };
        let piece = |slots: &Vec<Option<ExpertId>>| {
            let sizes = [&[slots.len()], &tensor.sizes()[1..]].concat();
            let bytes = slots.iter().flat_map(of_slot).collect();
            HostTensor::from_bytes(tensor.dtype(), &sizes, bytes).expect("as many bytes as slots have")
        };
        let pieces: Vec<HostTensor> = spread.slots_of(experts).iter().map(piece).collect();
        self.weights.insert(name, self.backend.upload(&pieces)?);
        Ok(())
    }
}

/// Whether a parameter is the matrix of a product that is packed; routers are small and stay as they are.
pub(crate) fn is_product(name: &str) -> bool {
    name.ends_with("_proj.weight") || ["gate", "up", "down", "lm_head"].contains(&name)
}
