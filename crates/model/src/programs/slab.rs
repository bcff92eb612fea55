//! How weights lie where they are packed: those of a layer one behind another, in one array for each element type, which is called a slab. A step pays for every
//! argument of its program, so it is given few.
//!
//! Where experts are spread over devices theirs are arrays of their own, as they are written when experts are lent.

use collegium_core::DType;
use collegium_hlo::{Dim, Packed, Value, dim};

use super::{Builder, GroupShape, Packing};
use crate::config::ModelConfig;
use crate::params::{self, ParamGroup};

/// Where parts of a slab begin, in bytes: at lines of a cache.
const LINE: usize = 64;

/// The projections that are packed as one matrix, and its name.
const TOGETHER: [&str; 3] = ["self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"];
pub(super) const QKV: &str = "self_attn.qkv_proj.weight";

/// What is kept of some parameters of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What programs call it.
    pub name: String,
    /// {out, in} of a matrix, or {size}; of one expert in a group of experts.
    pub sizes: Vec<usize>,
    /// Numbers of the parameters, whose rows follow each other.
    pub params: Vec<usize>,
    /// Whether it is packed.
    pub is_packed: bool,
}

/// What is kept of a group of parameters, in their order.
pub fn kept(group: &ParamGroup, packing: Packing) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    for (at, (name, sizes)) in GroupShape::of(group).params.into_iter().enumerate() {
        let is_packed = packing != Packing::Natural && is_product(&name);
        let joins = is_packed && TOGETHER.contains(&&*name);
        match all.last_mut().filter(|last| joins && last.name == QKV) {
            Some(last) => {
                last.sizes[0] += sizes[0];
                last.params.push(at);
            }
            None => {
                let name = if joins { QKV.into() } else { name };
                all.push(Kept { name, sizes, params: vec![at], is_packed });
            }
        }
    }
    all
}

/// Whether a parameter is the matrix of a product that is packed; routers are small and stay as they are.
pub fn is_product(name: &str) -> bool {
    name.ends_with("_proj.weight") || ["gate", "up", "down", "lm_head"].contains(&name)
}

/// A weight in a slab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlabPart {
    /// What programs call it.
    pub name: String,
    /// Element type: its slab's.
    pub dtype: DType,
    /// Sizes of its dims.
    pub sizes: Vec<usize>,
    /// Where it begins, in elements.
    pub start: usize,
}

impl SlabPart {
    fn end(&self) -> usize {
        self.start + self.sizes.iter().product::<usize>()
    }
}

/// The slabs of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slabs(Vec<SlabPart>);

impl Slabs {
    /// Those of the layer of this index, with its experts where they are `whole`; none where weights lie as in the checkpoint. `dtype` is that of activations.
    pub fn of(config: &ModelConfig, layer: usize, (dtype, packing): (DType, Packing), whole: bool) -> Self {
        let mut slabs = Self::default();
        if packing == Packing::Natural {
            return slabs;
        }
        let groups = params::layer_groups(config, layer);
        for group in groups.iter().filter(|group| whole || group.experts.is_none()) {
            for Kept { name, sizes, is_packed, .. } in kept(group, packing) {
                if !is_packed {
                    slabs.add(name, dtype, sizes);
                    continue;
                }
                let of = packing.dtype(dtype);
                let (values, scales) = Packed::dims(of, group.experts, sizes[0], sizes[1]);
                let sizes = |dims: &[Dim]| dims.iter().map(|d| d.size).collect();
                if of == DType::I8 {
                    slabs.add(scales_of(&name), DType::Bf16, sizes(&scales));
                }
                slabs.add(name, of, sizes(&values));
            }
        }
        slabs
    }

    fn add(&mut self, name: String, dtype: DType, sizes: Vec<usize>) {
        let start = self.len(dtype).next_multiple_of(LINE / dtype.size_bytes());
        self.0.push(SlabPart { name, dtype, sizes, start });
    }

    /// Elements of the slab of this type.
    fn len(&self, dtype: DType) -> usize {
        self.0.iter().rev().find(|part| part.dtype == dtype).map_or(0, SlabPart::end)
    }

    /// The weight called `name`, if it lies in a slab.
    pub fn part(&self, name: &str) -> Option<&SlabPart> {
        self.0.iter().find(|part| part.name == name)
    }

    /// Element types and numbers of elements of the slabs.
    pub fn sizes(&self) -> Vec<(DType, usize)> {
        let of = [DType::F32, DType::Bf16, DType::I8].map(|dtype| (dtype, self.len(dtype)));
        of.into_iter().filter(|(_, len)| *len > 0).collect()
    }
}

/// What programs call a layer's slab.
pub fn slab_name(dtype: DType) -> String {
    format!("slab.{dtype}")
}

/// What the scales of a weight are called.
pub fn scales_of(name: &str) -> String {
    format!("{name}.scales")
}

impl<'g> Builder<'g> {
    /// The weight called `name`, a part of a slab or an argument of its own.
    pub(super) fn weight_as(&self, name: &str, dtype: DType, dims: &[Dim]) -> Value<'g> {
        let slabs = self.slabs.borrow();
        let Some(part) = slabs.part(name) else { return self.input(name, dtype, dims) };
        let slab = self.input(&slab_name(part.dtype), part.dtype, &[dim("element", slabs.len(part.dtype))]);
        slab.slice("element", part.start, part.end()).split("element", dims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ModelConfig {
        let json = serde_json::json!({
            "model_type": "qwen3_moe", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 16, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24,
            "intermediate_size": 16, "norm_topk_prob": true, "hidden_act": "silu", "max_position_embeddings": 64,
            "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": false,
        });
        ModelConfig::from_json(&json, "the test").unwrap().0
    }

    #[test]
    fn parts_lie_one_behind_another_on_lines() {
        let config = config();
        for (packing, arrays) in [(Packing::Packed, 1), (Packing::Int8, 2), (Packing::Natural, 0)] {
            let slabs = Slabs::of(&config, 1, (DType::Bf16, packing), true);
            assert_eq!(slabs.sizes().len(), arrays, "{packing:?}");
            for (dtype, len) in slabs.sizes() {
                let parts: Vec<&SlabPart> = slabs.0.iter().filter(|part| part.dtype == dtype).collect();
                assert!(parts.iter().all(|part| part.start * dtype.size_bytes() % LINE == 0));
                assert!(parts.windows(2).all(|two| two[0].end() <= two[1].start));
                assert_eq!(parts.last().map(|part| part.end()), Some(len));
            }
        }
    }

    #[test]
    fn queries_keys_and_values_are_one_matrix_and_spread_experts_no_part() {
        let config = config();
        let whole = Slabs::of(&config, 0, (DType::F32, Packing::Packed), true);
        assert_eq!(whole.part(QKV).unwrap().sizes, [1, 32, 64]);
        assert_eq!(whole.part("down").unwrap().sizes, [4, 1, 24, 64]);
        assert!(TOGETHER.iter().all(|name| whole.part(name).is_none()));
        let spread = Slabs::of(&config, 0, (DType::F32, Packing::Packed), false);
        assert!(spread.part("down").is_none() && spread.part("router.weight").is_some());
    }
}
