//! Text from the model: the same layers with a key-value cache. All sequences of a batch move in step; shorter prompts are padded
//! in front, and a segment number keeps attention off the padding.

use collegium_core::HostTensor;
use collegium_model::params::GroupKey;
use collegium_model::programs::{self, Exchange};
use collegium_runtime::Array;

use super::program::{Compiled, Env, Halves};
use super::{Engine, Settings, program_shape};
use crate::TrainError;
use crate::adapt::Adapter;
use crate::sampling::Sampler;
use std::collections::HashMap;
use std::sync::Arc;

/// Places are added to a cache in steps of this many, so that few programs serve all lengths.
pub(super) const CONTEXT_STEP: usize = 64;
/// Prompts are padded to a multiple of this.
pub(super) const PROMPT_STEP: usize = 16;

/// Programs for one number of tokens at once.
struct Stage {
    settings: Settings,
    embed: Halves,
    blocks: Vec<Arc<Compiled>>,
    logits: Arc<Compiled>,
    experts: HashMap<(super::MoeKey, collegium_balance::Bucket), Halves>,
}

/// What every call of one generation shares.
struct Session {
    adapter: Adapter,
    context: usize,
    /// {batch, context} on every rank.
    segments: Array,
    caches: Vec<Option<(Array, Array)>>,
    /// Padding in front of each sequence.
    padding: Vec<usize>,
}

impl Engine {
    /// Continues every prompt until `stop` is sampled or `max_new` tokens are there; `on_token` sees every token as it comes (sequence,
    /// token). Returns the new tokens, without `stop`.
    ///
    /// # Errors
    /// An empty prompt, a token beyond the vocabulary, or what the device says.
    pub fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        max_new: usize,
        stop: Option<u32>,
        sampler: &mut Sampler,
        on_token: &mut dyn FnMut(usize, u32),
    ) -> Result<Vec<Vec<u32>>, TrainError> {
        self.check_prompts(prompts)?;
        self.refresh_working()?;
        let ranks = self.backend.num_devices();
        let rows = prompts.len().div_ceil(ranks) * ranks;
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(1).next_multiple_of(PROMPT_STEP);
        let context = (longest + max_new).next_multiple_of(CONTEXT_STEP);
        // Rows that only fill the last rank repeat the first prompt.
        let of = |row: usize| prompts.get(row).unwrap_or(&prompts[0]);
        let padding: Vec<usize> = (0..rows).map(|row| longest - of(row).len()).collect();
        let mut session = self.session(context, &padding)?;
        let mut stage = self.stage(rows / ranks, longest, context)?;
        let padded: Vec<u32> = (0..rows)
            .flat_map(|row| std::iter::repeat_n(0, padding[row]).chain(of(row).iter().copied()))
            .collect();
        let mut logits = self.advance(&mut stage, &mut session, &padded, 0)?;
        let mut stage = self.stage(rows / ranks, 1, context)?;
        let mut out: Vec<Vec<u32>> = vec![Vec::new(); prompts.len()];
        let mut ended = vec![false; prompts.len()];
        for turn in 0..max_new {
            let vocab = self.config.vocab_size;
            let mut next = vec![0u32; rows];
            for row in 0..prompts.len() {
                if ended[row] {
                    continue;
                }
                let token = sampler.pick(&logits[row * vocab..(row + 1) * vocab]);
                next[row] = token;
                if Some(token) == stop {
                    ended[row] = true;
                } else {
                    out[row].push(token);
                    on_token(row, token);
                }
            }
            if ended.iter().all(|&e| e) || turn + 1 == max_new {
                break;
            }
            logits = self.advance(&mut stage, &mut session, &next, longest + turn)?;
        }
        Ok(out)
    }

    fn check_prompts(&self, prompts: &[Vec<u32>]) -> Result<(), TrainError> {
        if prompts.is_empty() || prompts.iter().any(Vec::is_empty) {
            return Err(TrainError::EmptyPrompt);
        }
        let vocab = self.config.vocab_size;
        match prompts.iter().flatten().find(|&&t| t as usize >= vocab) {
            Some(&id) => Err(TrainError::TokenId { id: i64::from(id), vocab }),
            None => Ok(()),
        }
    }

    fn session(&self, context: usize, padding: &[usize]) -> Result<Session, TrainError> {
        let ranks = self.backend.num_devices();
        let each = padding.len() / ranks;
        let piece = |own: &[usize]| {
            let places: Vec<i32> =
                own.iter().flat_map(|&p| (0..context).map(move |at| if at < p { -1 } else { 0 })).collect();
            HostTensor::new(&[each, context], &places)
        };
        let segments = self.backend.upload(&padding.chunks(each).map(piece).collect::<Vec<_>>())?;
        Ok(Session {
            adapter: self.adapter.at_home(),
            context,
            segments,
            caches: vec![None; self.config.num_layers],
            padding: padding.to_vec(),
        })
    }

    fn stage(&self, batch: usize, seq: usize, context: usize) -> Result<Stage, TrainError> {
        let settings =
            Settings { batch, seq, exchange: Exchange::default(), forced_routing: false, ..self.settings };
        let shape = program_shape(&self.config, &self.mesh, settings);
        let mut blocks: Vec<Arc<Compiled>> = Vec::new();
        for (index, layer) in self.config.layers.iter().enumerate() {
            let known = self.config.layers[..index].iter().position(|l| l == layer);
            blocks.push(match known {
                Some(at) => blocks[at].clone(),
                None => Compiled::new(programs::generation_block(&shape, layer, context)?),
            });
        }
        Ok(Stage {
            settings,
            embed: Halves::new(programs::embed(&shape)?),
            blocks,
            logits: Compiled::new(programs::logits_at(&shape, batch)?),
            experts: HashMap::new(),
        })
    }

    /// Runs `tokens` (all sequences' next ones) from place `start` on; logits behind the last of each sequence.
    fn advance(
        &mut self,
        stage: &mut Stage,
        session: &mut Session,
        tokens: &[u32],
        start: usize,
    ) -> Result<Vec<f32>, TrainError> {
        let Settings { batch, seq, .. } = stage.settings;
        let upload = |values: Vec<i32>| {
            let pieces: Vec<HostTensor> =
                values.chunks(batch * seq).map(|p| HostTensor::new(&[batch, seq], p)).collect();
            self.backend.upload(&pieces)
        };
        let places = |f: &dyn Fn(usize, usize) -> i32| -> Vec<i32> {
            (0..session.padding.len())
                .flat_map(|row| (0..seq).map(move |i| (row, start + i)))
                .map(|(row, at)| f(row, at))
                .collect()
        };
        let padding = &session.padding;
        let inputs = Env::default()
            .with("tokens", upload(tokens.iter().map(|&t| t as i32).collect())?)
            .with("segments", upload(places(&|row, at| if at < padding[row] { -1 } else { 0 }))?)
            .with_rotation(self.rotation(
                &places(&|row, at| at.saturating_sub(padding[row]) as i32),
                batch,
                seq,
            )?)
            .with("cache.segments", session.segments.clone())
            .with("cache.start", self.backend.replicate(&HostTensor::scalar(start as i32))?);
        let find = |name: &str| inputs.get(name).cloned().or_else(|| self.working(GroupKey::Embed, name));
        let mut hidden = stage.embed.forward.call(&*self.backend, find)?.take("hidden_out");
        let mut moe_index = 0;
        for layer in 0..self.config.num_layers {
            hidden = self.advance_layer(stage, session, &inputs, layer, &mut moe_index, hidden)?;
        }
        let last: Vec<i32> = (0..batch).map(|row| (row * seq + seq - 1) as i32).collect();
        let last = self.backend.replicate(&HostTensor::new(&[batch], &last))?;
        let mut out = stage.logits.call(&*self.backend, |name| match name {
            "hidden" => Some(hidden.clone()),
            "places" => Some(last.clone()),
            "lm_head" => self.head_weight(),
            _ => self.working(GroupKey::Head, name),
        })?;
        Ok(out.take("logits").download()?.iter().flat_map(|t| t.to_vec::<f32>()).collect())
    }

    fn advance_layer(
        &mut self,
        stage: &mut Stage,
        session: &mut Session,
        inputs: &Env,
        layer: usize,
        moe_index: &mut usize,
        hidden: Array,
    ) -> Result<Array, TrainError> {
        let c = self.config.clone();
        let Settings { batch, seq, dtype, .. } = stage.settings;
        let empty = || {
            self.backend
                .replicate(&HostTensor::zeros(dtype, &[batch, session.context, c.num_kv_heads, c.head_dim]))
        };
        let (mut keys, mut values) = match session.caches[layer].take() {
            Some((keys, values)) => (Some(keys), Some(values)),
            None => (Some(empty()?), Some(empty()?)),
        };
        let mut block = stage.blocks[layer].call(&*self.backend, |name| match name {
            "hidden" => Some(hidden.clone()),
            "cache.keys" => keys.take(),
            "cache.values" => values.take(),
            "router_bias" => self.router_bias_arrays.get(*moe_index).cloned(),
            _ => inputs.get(name).cloned().or_else(|| self.working(GroupKey::Layer(layer), name)),
        })?;
        session.caches[layer] = Some((block.take("cache.keys_out"), block.take("cache.values_out")));
        let Some(moe) = c.layers[layer].feed_forward.moe() else { return Ok(block.take("hidden_out")) };
        let rows = batch * seq * moe.top_k;
        let planned = session.adapter.plan(*moe_index, &block.take("counts"), rows, &*self.backend);
        *moe_index += 1;
        let dispatch = planned.map_err(|e| e.in_layer(layer))?;
        let weights = self.slot_weights(layer, &dispatch.slots)?;
        let key = (super::moe_key(moe), dispatch.bucket);
        if !stage.experts.contains_key(&key) {
            let shape = program_shape(&c, &self.mesh, stage.settings);
            let split = programs::expert_layer(&shape, moe, dispatch.bucket, session.adapter.block())?;
            stage.experts.insert(key, Halves::new(split));
        }
        let mut out = stage.experts[&key].forward.call(&*self.backend, |name| {
            let given = block.get(name).or_else(|| dispatch.tables.get(name));
            given.or_else(|| weights.get(name)).cloned()
        })?;
        Ok(out.take("hidden_out"))
    }

    /// Logits of every token of a batch, row-major [batch, seq, vocab].
    ///
    /// # Errors
    /// What the device says.
    pub fn logits(&mut self, batch: &collegium_data::Batch) -> Result<Vec<f32>, TrainError> {
        let forward = self.forward(batch)?;
        let tokens = self.settings.batch * self.settings.seq;
        let shape = program_shape(&self.config, &self.mesh, self.settings);
        let program = Compiled::new(programs::logits_at(&shape, tokens)?);
        let places: Vec<i32> = (0..tokens as i32).collect();
        let places = self.backend.replicate(&HostTensor::new(&[tokens], &places))?;
        let mut out = program.call(&*self.backend, |name| match name {
            "hidden" => Some(forward.hidden.clone()),
            "places" => Some(places.clone()),
            "lm_head" => self.head_weight(),
            _ => self.working(GroupKey::Head, name),
        })?;
        Ok(out.take("logits").download()?.iter().flat_map(|t| t.to_vec::<f32>()).collect())
    }
}
