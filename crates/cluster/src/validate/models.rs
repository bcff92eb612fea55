//! The model of a row: its own sizes, and what the list of known models adds.

use serde::Deserialize;

use crate::model::{Latent, PlanModel, Sizes};
use crate::table::Row;

/// What is known of a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    names: Vec<String>,
    sizes: Option<KnownSizes>,
    latent: Option<KnownLatent>,
    #[serde(default)]
    shared: usize,
    #[serde(default = "yes")]
    gated: bool,
    /// Every how many layers one is sparse.
    dense_every: Option<usize>,
    /// Element-wise work of its sparse layers over that of layers whose kernels are fused everywhere.
    element_wise: Option<f64>,
    /// Every second layer looks back this far only.
    window: Option<usize>,
    /// Tokens after the next that it predicts in the runs of `predicted_by`.
    #[serde(default)]
    predictions: usize,
    /// Beginnings of ids: rows of these predict them, unless they say otherwise.
    #[serde(default)]
    predicted_by: Vec<String>,
    /// Why it cannot be planned.
    unknown: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct KnownSizes {
    layers: usize,
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    vocab: usize,
    dense_layers: usize,
    intermediate: usize,
    experts: usize,
    top_k: usize,
    expert_intermediate: usize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct KnownLatent {
    query_rank: usize,
    kv_rank: usize,
    plain_dim: usize,
    rotated_dim: usize,
    value_dim: usize,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Models {
    model: Vec<Known>,
}

/// The list of known models.
pub struct KnownModels(Vec<Known>);

impl Default for KnownModels {
    fn default() -> Self {
        let models: Models =
            toml::from_str(include_str!("../../data/models.toml")).expect("a test parses it");
        Self(models.model)
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

impl KnownModels {
    fn named(&self, name: &str) -> Option<&Known> {
        let short = plain(name);
        self.0.iter().find(|k| k.names.iter().any(|n| short.starts_with(n.as_str())))
    }

    /// Element-wise work and dispatch of a model's sparse layers over those of layers with fused kernels.
    pub fn element_wise(&self, name: &str) -> f64 {
        self.named(name).and_then(|k| k.element_wise).unwrap_or(1.0)
    }

    /// The model of a row.
    ///
    /// # Errors
    /// What the row lacks, or why its model cannot be planned.
    pub fn of(&self, row: &Row) -> Result<PlanModel, String> {
        let name = row.text("model").ok_or("no model")?;
        if name.to_lowercase().contains("lora")
            || row.text("notes").is_some_and(|n| n.to_lowercase().contains("task=lora"))
        {
            return Err("LoRA: most weights have no gradient".into());
        }
        let known = self.named(name);
        if let Some(why) = known.and_then(|k| k.unknown.clone()) {
            return Err(why);
        }
        let base = known.and_then(|k| k.sizes);
        let own = |field: &str, base: Option<usize>| row.count(field).filter(|n| *n > 0).or(base);
        let need = |field: &str, base: Option<usize>| {
            own(field, base).ok_or_else(|| format!("no {field}, and the model is not known by name"))
        };
        let gated = known.is_none_or(|k| k.gated);
        let (layers, hidden) =
            (need("layers", base.map(|b| b.layers))?, need("hidden", base.map(|b| b.hidden))?);
        let heads = need("heads", base.map(|b| b.heads))?;
        let experts = own("experts", base.map(|b| b.experts)).unwrap_or(0);
        let ffn = row
            .count("ffn")
            .or(base.map(|b| if experts > 0 { b.expert_intermediate } else { b.intermediate }));
        let ffn = ffn.or((!gated).then_some(4 * hidden)).ok_or("no ffn, and the model has a gate")?;
        let truncated = base.is_some_and(|b| layers < b.layers / 2);
        let id = row.text("id").unwrap_or("");
        let predictions = known
            .filter(|k| k.predicted_by.iter().any(|start| id.starts_with(start.as_str())))
            .filter(|_| !name.contains("w/o MTP"))
            .map_or(0, |k| k.predictions);
        let layers = layers + predictions;
        let sizes = Sizes {
            layers,
            hidden,
            heads,
            kv_heads: own("kv_heads", base.map(|b| b.kv_heads)).unwrap_or(heads),
            head_dim: base.map_or(hidden / heads, |b| b.head_dim),
            vocab: own("vocab", base.map(|b| b.vocab)).unwrap_or(51200),
            // A shortened model keeps one of its dense layers: only so do the states of SimuMax's fit in what was measured.
            dense_layers: base.map_or(0, |b| if truncated { b.dense_layers.min(1) } else { b.dense_layers }),
            intermediate: if experts > 0 { base.map_or(ffn, |b| b.intermediate) } else { ffn },
            experts,
            top_k: own("topk", base.map(|b| b.top_k)).unwrap_or(0),
            expert_intermediate: ffn,
            tied: !gated,
        };
        let mut config = sizes.config().map_err(|e| e.to_string())?;
        if let Some(step) = known.and_then(|k| k.dense_every) {
            let dense = collegium_model::config::FeedForward::Dense { intermediate: sizes.intermediate };
            config.layers.iter_mut().step_by(step).for_each(|l| l.feed_forward = dense.clone());
        }
        if let Some(window) = known.and_then(|k| k.window) {
            config.layers.iter_mut().step_by(2).for_each(|l| l.sliding_window = Some(window));
        }
        let latent = known.and_then(|k| k.latent).map(|l| Latent {
            query_rank: l.query_rank,
            kv_rank: l.kv_rank,
            plain_dim: l.plain_dim,
            rotated_dim: l.rotated_dim,
            value_dim: l.value_dim,
        });
        let shared = known.map_or(0, |k| k.shared);
        Ok(PlanModel { name: name.into(), config, latent, shared, gated, predictions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn a_second_prediction_is_a_layer_and_a_head_more() {
        let path = std::env::temp_dir().join(format!("collegium-mtp-{}.csv", std::process::id()));
        let rows =
            "mbridge-26.02-1,DeepSeekV3\nmbridge-25.11-1,DeepSeekV3 (w/o MTP)\nsimumax-b200-1,deepseekv3\n";
        std::fs::write(&path, format!("id,model\n{rows}")).unwrap();
        let rows = table::read(&path, &["id", "model"]).unwrap();
        std::fs::remove_file(&path).unwrap();
        let models: Vec<PlanModel> = rows.iter().map(|r| KnownModels::default().of(r).unwrap()).collect();
        assert_eq!(models.iter().map(|m| m.predictions).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(models[0].config.num_layers, models[1].config.num_layers + 1);
        // What Megatron-Bridge's own TFLOPS say: 260 and 250 GFLOP a token of 4,096.
        for (model, published) in models.iter().zip([260e9, 249.7e9, 249.7e9]) {
            let found = model.flops_per_token(4096);
            assert!((found / published - 1.0).abs() < 0.01, "{found:e} {published:e}");
        }
    }

    #[test]
    fn rows_become_models_of_the_published_sizes() {
        let path = std::env::temp_dir().join(format!("collegium-models-{}.csv", std::process::id()));
        std::fs::write(&path, "model,layers,hidden,ffn,heads,kv_heads\nDeepSeek-V3,,,,,\nLlama3.1-405B,,,,,\nGPT-175B,96,12288,,96,\nQwen3-Next-80B,,,,,\nodd,,,,,\n").unwrap();
        let rows = table::read(&path, &["model"]).unwrap();
        std::fs::remove_file(&path).unwrap();
        let known = KnownModels::default();
        let parameters = |i: usize| known.of(&rows[i]).unwrap().parameters() / 1e9;
        assert!((parameters(0) - 671.0).abs() < 3.0, "{}", parameters(0));
        assert!((parameters(1) - 405.0).abs() < 2.0, "{}", parameters(1));
        assert!((parameters(2) - 175.0).abs() < 2.0, "{}", parameters(2));
        assert!(known.of(&rows[3]).unwrap_err().contains("nothing here builds"));
        assert!(known.of(&rows[4]).unwrap_err().starts_with("no layers"));
    }
}
