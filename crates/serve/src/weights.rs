//! Weights from a checkpoint to the device, laid out as the step's program takes them.

use std::collections::HashMap;

use collegium_core::{DType, ExpertId, HostTensor};
use collegium_hlo::{Dim, Packed};
use collegium_kernels::prepacked;
use collegium_model::config::ModelConfig;
use collegium_model::params::{self, GroupKey, ParamGroup};
use collegium_model::programs::{Kept, Packing, Slabs, kept, scales_of, slab_name};
use collegium_runtime::{Array, Backend};
use collegium_train::TrainError;
use collegium_train::engine::Values;

use crate::runner::Spread;

/// Reads every parameter, by the names of the step's program. Where experts are spread, each rank has its own, and room for others.
pub(crate) fn load(
    backend: &dyn Backend,
    config: &ModelConfig,
    (dtype, packing): (DType, Packing),
    spread: Option<&Spread>,
    value: &mut Values<'_>,
) -> Result<HashMap<String, Array>, TrainError> {
    let mut loader =
        Loader { backend, dtype, packing, spread, open: OpenSlabs::default(), weights: HashMap::new() };
    for group in params::groups(config) {
        match group.key {
            GroupKey::Layer(layer) => {
                loader.close()?;
                let slabs = Slabs::of(config, layer, (dtype, packing), spread.is_none());
                loader.open = OpenSlabs::new(format!("layers.{layer}."), slabs);
            }
            GroupKey::Head => loader.close()?,
            GroupKey::Embed | GroupKey::Experts(_) => {}
        }
        loader.group(&group, config.tie_word_embeddings, value)?;
    }
    for (index, layer) in config.layers.iter().enumerate().filter(|_| packing == Packing::Natural) {
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
    /// Those of the layer that is read.
    open: OpenSlabs,
    weights: HashMap<String, Array>,
}

/// Slabs that are still filled.
#[derive(Default)]
struct OpenSlabs {
    /// In front of the names of a layer's weights.
    prefix: String,
    slabs: Slabs,
    /// By element type.
    tensors: Vec<HostTensor>,
}

impl OpenSlabs {
    fn new(prefix: String, slabs: Slabs) -> Self {
        let tensors = slabs.sizes().iter().map(|&(dtype, len)| HostTensor::zeros(dtype, &[len])).collect();
        Self { prefix, slabs, tensors }
    }

    /// Whether `tensor` has a place in them, where it is then.
    fn take(&mut self, name: &str, tensor: &HostTensor) -> bool {
        let part = name.strip_prefix(&self.prefix).and_then(|name| self.slabs.part(name));
        let Some(part) = part else { return false };
        let slab = self.tensors.iter_mut().find(|slab| slab.dtype() == part.dtype);
        let slab = slab.expect("a slab for every element type of its parts");
        assert!((tensor.dtype(), tensor.sizes()) == (part.dtype, &part.sizes[..]), "{name}");
        let start = part.start * part.dtype.size_bytes();
        slab.bytes_mut()[start..start + tensor.bytes().len()].copy_from_slice(tensor.bytes());
        true
    }
}

impl Loader<'_> {
    fn group(&mut self, group: &ParamGroup, is_tied: bool, value: &mut Values<'_>) -> Result<(), TrainError> {
        let prefix = match group.key {
            GroupKey::Layer(layer) | GroupKey::Experts(layer) => format!("layers.{layer}."),
            GroupKey::Embed | GroupKey::Head => String::new(),
        };
        for Kept { name, sizes, params, is_packed } in kept(group, self.packing) {
            let mut values = Vec::new();
            for expert in 0..group.experts.unwrap_or(1) {
                for spec in params.iter().map(|&at| &group.params[at]) {
                    values.extend(value(&spec.name_of(expert), &spec.sizes)?);
                }
            }
            if name == "embed" && is_tied && self.packing != Packing::Natural {
                self.pack("lm_head".into(), None, &sizes, &values)?;
            }
            let name = format!("{prefix}{name}");
            if is_packed {
                self.pack(name, group.experts, &sizes, &values)?;
                continue;
            }
            let sizes: Vec<usize> = group.experts.into_iter().chain(sizes).collect();
            let tensor = self.natural(&sizes, &values);
            match group.experts {
                Some(_) => self.put_experts(name, &tensor)?,
                None => self.put(name, &tensor)?,
            }
        }
        Ok(())
    }

    /// Puts the slabs of a layer that was read on the devices.
    fn close(&mut self) -> Result<(), TrainError> {
        let OpenSlabs { prefix, tensors, .. } = std::mem::take(&mut self.open);
        tensors.iter().try_for_each(|slab| self.put(format!("{prefix}{}", slab_name(slab.dtype())), slab))
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
        let packed_as = self.packing.dtype(self.dtype);
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
                put(self, scales_of(&name), &scales)?;
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
        if self.open.take(&name, tensor) {
            return Ok(());
        }
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
