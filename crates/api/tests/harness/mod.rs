//! A server of a small model, and a client.
#![allow(dead_code)] // Every test uses a part.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use collegium_api::{App, Defaults, Machine, Options, Served, Template, serve};
use collegium_core::DType;
use collegium_data::Tokenizer;
use collegium_model::config::ModelConfig;
use collegium_runtime::EvalBackend;
use collegium_serve::{Handle, Limits, Runner, Stats};
use collegium_train::RandomInit;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A running server and a client of it.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    pub client: reqwest::Client,
    pub engine: Handle,
    stop: Arc<Mutex<Option<oneshot::Sender<()>>>>,
}

/// A server with this chat template.
pub async fn start(template: &str) -> Server {
    start_with(template, |_| ()).await
}

/// A server with this chat template and options.
pub async fn start_with(template: &str, set: impl FnOnce(&mut Options)) -> Server {
    let (app, engine) = app(template, set);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, app, async {
        stopped.await.ok();
    }));
    let stop = Arc::new(Mutex::new(Some(stop)));
    Server { address, client: reqwest::Client::new(), engine, stop }
}

/// A small model with random weights, ready to be served, and its engine.
pub fn app(template: &str, set: impl FnOnce(&mut Options)) -> (Arc<App>, Handle) {
    let config = json!({
        "model_type": "qwen3_moe", "vocab_size": 260, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16,
        "intermediate_size": 16, "norm_topk_prob": true, "hidden_act": "silu", "max_position_embeddings": 1024,
        "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": false, "initializer_range": 0.2,
    });
    let config = ModelConfig::from_json(&config, "the test").unwrap().0;
    let limits = Limits::new(8, 1024);
    let init = RandomInit::new(&config, 3);
    let value = &mut |name: &str, sizes: &[usize]| init.value(name, sizes);
    let room = (limits.cache_pages, limits.context);
    let runner = Runner::new(Arc::new(EvalBackend::new(1)), config.clone(), DType::F32, room, value).unwrap();
    let tokenizer = Arc::new(Tokenizer::bytes());
    let engine = Handle::start(runner, Some(tokenizer.clone()), limits).unwrap();
    let template = Template::new(template.into(), String::new(), String::new()).unwrap();
    let served = Served::new("tiny".into(), engine.clone(), tokenizer, template, Defaults::default());
    let mut options = Options { body_bytes: 100_000, ..Options::default() };
    set(&mut options);
    (App::new(served, options, Machine { read_rate: Some(1e9), joules: Some(Box::new(|| 4.5)) }), engine)
}

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let reply = self.client.post(self.url(path)).json(body).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    pub async fn text(&self, path: &str, body: &Value) -> String {
        self.client.post(self.url(path)).json(body).send().await.unwrap().text().await.unwrap()
    }

    pub async fn raw(&self, path: &str, body: Vec<u8>) -> (u16, Value) {
        let reply = self.client.post(self.url(path)).body(body).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let reply = self.client.get(self.url(path)).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    pub async fn json(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.get(path).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Waits until the engine is so, for ten seconds at most.
    pub async fn until(&self, is_so: impl Fn(&Stats) -> bool) {
        for _ in 0..1000 {
            if is_so(&self.engine.stats()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the engine stays at {:?}", self.engine.stats());
    }

    /// Begins the shutdown.
    pub fn stop(&self) {
        self.stop.lock().unwrap().take().unwrap().send(()).unwrap();
    }
}

/// The bodies of server-sent events, without the last mark.
pub fn lines(text: &str) -> Vec<Value> {
    let data: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("data: ")).collect();
    assert_eq!(data.last(), Some(&"[DONE]"), "{text}");
    data[..data.len() - 1].iter().map(|d| serde_json::from_str(d).unwrap()).collect()
}
