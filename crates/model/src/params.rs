//! The parameters of a model: the one place that knows what a checkpoint calls them.

use crate::config::{FeedForward, ModelConfig, QkNorm};
use crate::family;

/// Which group of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupKey {
    /// The embedding.
    Embed,
    /// A layer without its experts.
    Layer(usize),
    /// The experts of a layer.
    Experts(usize),
    /// Final norm and head.
    Head,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Normal with mean zero.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// All one: norms.
    Ones,
    /// All zero: biases.
    Zeros,
}

/// One parameter; in a group of experts, of every expert.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// Name in the checkpoint; of an expert's, with `{expert}` in place of its number.
    pub name: String,
    /// Sizes as the checkpoint has them: {out, in} for matrices.
    pub sizes: Vec<usize>,
    /// Whether it decays: matrices do, norms and biases do not.
    pub decay: bool,
    /// How it starts.
    pub init: Init,
}

impl ParamSpec {
    /// Name in the checkpoint, of the given expert where it belongs to one.
    pub fn name_of(&self, expert: usize) -> String {
        self.name.replace("{expert}", &expert.to_string())
    }
}

/// Parameters that are kept in one flat vector; those that decay come first.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamGroup {
    /// Which.
    pub key: GroupKey,
    /// Its parameters; for experts those of one: gate, up, down.
    pub params: Vec<ParamSpec>,
    /// Number of experts, in a group of experts.
    pub experts: Option<usize>,
}

impl ParamGroup {
    /// Elements of the whole group; sizes that nobody has checked yet may be absurd, hence the saturation.
    pub fn num_elements(&self) -> u64 {
        let elements = |p: &ParamSpec| p.sizes.iter().fold(1u64, |n, &size| n.saturating_mul(size as u64));
        let one = self.params.iter().map(elements).fold(0u64, u64::saturating_add);
        one.saturating_mul(self.experts.unwrap_or(1) as u64)
    }
}

/// Every group of a model, from the embedding to the head.
pub fn groups(config: &ModelConfig) -> Vec<ParamGroup> {
    let inventory = Inventory { config };
    let mut groups = vec![inventory.group(
        GroupKey::Embed,
        vec![inventory.matrix("model.embed_tokens.weight", config.vocab_size, config.hidden_size)],
    )];
    groups.extend((0..config.num_layers).flat_map(|layer| layer_groups(config, layer)));
    let mut head = vec![inventory.norm("model.norm.weight", config.hidden_size)];
    if !config.tie_word_embeddings {
        head.insert(0, inventory.matrix("lm_head.weight", config.vocab_size, config.hidden_size));
    }
    groups.push(inventory.group(GroupKey::Head, head));
    groups
}

/// Those of a layer.
pub fn layer_groups(config: &ModelConfig, layer: usize) -> Vec<ParamGroup> {
    let inventory = Inventory { config };
    [inventory.layer(layer)].into_iter().chain(inventory.experts(layer)).collect()
}

struct Inventory<'c> {
    config: &'c ModelConfig,
}

impl Inventory<'_> {
    fn group(&self, key: GroupKey, mut params: Vec<ParamSpec>) -> ParamGroup {
        params.sort_by_key(|p| !p.decay);
        ParamGroup { key, params, experts: None }
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> ParamSpec {
        let init = Init::Normal { std: self.config.initializer_range };
        ParamSpec { name: name.into(), sizes: vec![rows, columns], decay: true, init }
    }

    fn norm(&self, name: &str, size: usize) -> ParamSpec {
        ParamSpec { name: name.into(), sizes: vec![size], decay: false, init: Init::Ones }
    }

    fn bias(&self, name: &str, size: usize) -> ParamSpec {
        ParamSpec { name: name.into(), sizes: vec![size], decay: false, init: Init::Zeros }
    }

    fn layer(&self, layer: usize) -> ParamGroup {
        let c = self.config;
        let family = family::find(c.family).expect("a configuration is of a known family");
        let at = |local: &str| format!("model.layers.{layer}.{local}");
        let (q, kv) = (c.num_heads * c.head_dim, c.num_kv_heads * c.head_dim);
        let mut params = Vec::new();
        for (name, rows, columns) in [
            ("q", q, c.hidden_size),
            ("k", kv, c.hidden_size),
            ("v", kv, c.hidden_size),
            ("o", c.hidden_size, q),
        ] {
            params.push(self.matrix(&at(&format!("self_attn.{name}_proj.weight")), rows, columns));
            if if name == "o" { c.attention_bias.output } else { c.attention_bias.qkv } {
                params.push(self.bias(&at(&format!("self_attn.{name}_proj.bias")), rows));
            }
        }
        let norms = match c.qk_norm {
            QkNorm::None => vec![],
            QkNorm::PerHead => vec![("q", c.head_dim), ("k", c.head_dim)],
            QkNorm::WholeProjection => vec![("q", q), ("k", kv)],
        };
        params.extend(
            norms.into_iter().map(|(n, size)| self.norm(&at(&format!("self_attn.{n}_norm.weight")), size)),
        );
        params.push(self.norm(&at("input_layernorm.weight"), c.hidden_size));
        params.push(self.norm(&at("post_attention_layernorm.weight"), c.hidden_size));
        match &c.layers[layer].feed_forward {
            FeedForward::Moe(moe) => {
                params.push(self.matrix(
                    &at(&format!("{}.gate.weight", family.moe_block)),
                    moe.num_experts,
                    c.hidden_size,
                ));
            }
            FeedForward::Dense { intermediate } => {
                let (inner, width) = (*intermediate, c.hidden_size);
                for (name, rows, columns) in
                    [("gate", inner, width), ("up", inner, width), ("down", width, inner)]
                {
                    params.push(self.matrix(&at(&format!("mlp.{name}_proj.weight")), rows, columns));
                    if c.mlp_bias {
                        params.push(self.bias(&at(&format!("mlp.{name}_proj.bias")), rows));
                    }
                }
            }
        }
        self.group(GroupKey::Layer(layer), params)
    }

    fn experts(&self, layer: usize) -> Option<ParamGroup> {
        let c = self.config;
        let family = family::find(c.family)?;
        let moe = c.layers[layer].feed_forward.moe()?;
        let [gate, up, down] = family
            .expert_names
            .map(|n| format!("model.layers.{layer}.{}.experts.{{expert}}.{n}.weight", family.moe_block));
        let params = vec![
            self.matrix(&gate, moe.intermediate, c.hidden_size),
            self.matrix(&up, moe.intermediate, c.hidden_size),
            self.matrix(&down, c.hidden_size, moe.intermediate),
        ];
        Some(ParamGroup { key: GroupKey::Experts(layer), params, experts: Some(moe.num_experts) })
    }
}
