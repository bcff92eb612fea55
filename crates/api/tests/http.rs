//! The service as clients meet it: a small model with random weights on the exact reference, over real sockets.

mod harness;

use harness::{Server, lines, start};
use serde_json::{Value, json};

#[tokio::test]
async fn a_stream_says_what_a_whole_reply_says() {
    let server = start("").await;
    for (path, body) in [
        ("/v1/chat/completions", json!({"messages": [{"role": "user", "content": "Hi"}]})),
        ("/v1/completions", json!({"prompt": "Hi"})),
    ] {
        let mut body = body;
        body["max_tokens"] = 12.into();
        body["temperature"] = 0.into();
        body["n"] = 2.into();
        body["ignore_eos"] = true.into();
        let whole = server.post(path, &body).await.1;
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": true});
        let chunks = lines(&server.text(path, &body).await);
        for (index, choice) in whole["choices"].as_array().unwrap().iter().enumerate() {
            let text = choice["message"]["content"].as_str().or(choice["text"].as_str()).unwrap();
            let of = |c: &Value| c["choices"][0]["index"] == index;
            let piece = |c: &Value| {
                let choice = &c["choices"][0];
                choice["delta"]["content"].as_str().or(choice["text"].as_str()).unwrap_or("").to_string()
            };
            let streamed: String = chunks.iter().filter(|c| of(c)).map(piece).collect();
            assert_eq!(streamed, text);
            assert_eq!(choice["finish_reason"], "length");
        }
        assert_eq!(chunks.last().unwrap()["usage"], whole["usage"]);
        assert_eq!(whole["usage"]["completion_tokens"], 24);
    }
}

#[tokio::test]
async fn log_probabilities_are_those_of_the_tokens_drawn() {
    let server = start("").await;
    let body = json!({"prompt": "ab", "max_tokens": 5, "temperature": 0, "logprobs": 3, "ignore_eos": true, "echo": true});
    let (_, reply) = server.post("/v1/completions", &body).await;
    let logprobs = &reply["choices"][0]["logprobs"];
    assert!(reply["choices"][0]["text"].as_str().unwrap().starts_with("ab"));
    assert_eq!((&logprobs["text_offset"][0], &logprobs["text_offset"][2]), (&json!(0), &json!(2)));
    assert_eq!((&logprobs["tokens"][1], &logprobs["token_logprobs"][0]), (&json!("b"), &Value::Null));
    let list = |name: &str| logprobs[name].as_array().unwrap().clone();
    assert_eq!(list("tokens").len(), 7);
    for (own, top) in list("token_logprobs").into_iter().zip(list("top_logprobs")).skip(2) {
        // Greedy: the token is the likeliest.
        let best = top.as_object().unwrap().values().filter_map(Value::as_f64).fold(f64::MIN, f64::max);
        assert_eq!(own.as_f64().unwrap(), best);
    }
    let body = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "ab"}]}], "max_completion_tokens": 4,
        "logprobs": true, "top_logprobs": 2, "ignore_eos": true});
    let (_, reply) = server.post("/v1/chat/completions", &body).await;
    let content = reply["choices"][0]["logprobs"]["content"].as_array().unwrap();
    assert!(content.len() == 4 && content.iter().all(|t| t["top_logprobs"].as_array().unwrap().len() == 2));
}

/// As `lm-evaluation-harness` asks: tokens, `echo`, and one new token that it leaves out of the sum.
#[tokio::test]
async fn log_probabilities_of_prompts_do_not_depend_on_how_they_are_asked_for() {
    let server = start("").await;
    let prompts = json!([[97, 98, 99, 97, 98, 99, 100], [97], [256]]);
    let ask = |more: Value| {
        let mut body = json!({"prompt": prompts, "max_tokens": 1, "temperature": 0, "echo": true, "logprobs": 1, "ignore_eos": true});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (_, reply) = server.post("/v1/completions", &ask(json!({}))).await;
    let list = |choice: &Value, name: &str| choice["logprobs"][name].as_array().unwrap().clone();
    let lengths: Vec<usize> =
        reply["choices"].as_array().unwrap().iter().map(|c| list(c, "token_logprobs").len()).collect();
    assert_eq!(lengths, [8, 2, 2]);
    let first = &reply["choices"][0];
    assert!(first["text"].as_str().unwrap().starts_with("abcabcd"));
    let own = list(first, "token_logprobs");

    // What was generated as the continuation of the prompt's beginning has the same.
    let body = json!({"prompt": [97, 98, 99], "max_tokens": 1, "logprobs": 20, "ignore_eos": true, "structured_outputs": {"choice": ["a"]}});
    let (_, forced) = server.post("/v1/completions", &body).await;
    let forced = forced["choices"][0]["logprobs"]["token_logprobs"][0].as_f64().unwrap();
    assert!((own[3].as_f64().unwrap() - forced).abs() < 1e-5, "{} and {forced}", own[3]);

    // Without new tokens, as vLLM has them, several samples, and as a stream.
    let (_, none) =
        server.post("/v1/completions", &ask(json!({"max_tokens": 0, "prompt_logprobs": 2, "n": 2}))).await;
    for sample in &none["choices"].as_array().unwrap()[..2] {
        assert_eq!((&list(sample, "token_logprobs")[..], &sample["text"]), (&own[..7], &json!("abcabcd")));
        let by_number = sample["prompt_logprobs"].as_array().unwrap();
        assert!(by_number.len() == 7 && by_number[0].is_null());
        let fourth = &by_number[3]["97"];
        assert_eq!((&fourth["logprob"], &fourth["decoded_token"]), (&own[3], &json!("a")));
        assert!(
            (2..=3).contains(&by_number[3].as_object().unwrap().len()) && fourth["rank"].as_u64() > Some(0)
        );
    }
    assert_eq!(none["usage"]["completion_tokens"], 0);
    let chunks =
        lines(&server.text("/v1/completions", &ask(json!({"prompt": [97, 98, 99], "stream": true}))).await);
    // The last pieces say why it ended and have no token.
    let scored = chunks.iter().map(|c| &c["choices"][0]).filter(|c| c["logprobs"].is_object());
    let streamed: Vec<Value> = scored.flat_map(|c| list(c, "token_logprobs")).collect();
    assert_eq!(streamed[..3], own[..3]);
    let (status, reply) = server.post("/v1/completions", &json!({"prompt": "a", "max_tokens": 0})).await;
    assert_eq!((status, reply["error"]["param"].as_str()), (400, Some("max_tokens")));
    let (status, reply) =
        server.post("/v1/completions", &json!({"prompt": "a", "prompt_logprobs": 99})).await;
    assert_eq!((status, reply["error"]["param"].as_str()), (400, Some("prompt_logprobs")));
}

#[tokio::test]
async fn log_probabilities_of_a_chats_prompt_are_those_of_its_tokens() {
    let server = start("").await;
    let messages = json!([{"role": "user", "content": "Hello"}]);
    let tokens = server.post("/tokenize", &json!({"messages": messages})).await.1["tokens"].clone();
    let body = json!({"prompt": tokens, "max_tokens": 0, "prompt_logprobs": 2});
    let right = server.post("/v1/completions", &body).await.1["choices"][0]["prompt_logprobs"].clone();
    assert_eq!(right.as_array().unwrap().len(), tokens.as_array().unwrap().len());
    let mut body = json!({"messages": messages, "max_tokens": 2, "n": 2, "prompt_logprobs": 2});
    let whole = server.post("/v1/chat/completions", &body).await.1;
    assert_eq!(whole["prompt_logprobs"], right);
    assert!(
        whole["choices"][0].get("prompt_logprobs").is_none() && whole["choices"][1]["message"].is_object()
    );
    body["stream"] = true.into();
    let (status, reply) = server.post("/v1/chat/completions", &body).await;
    assert_eq!((status, reply["error"]["param"].as_str()), (400, Some("prompt_logprobs")));
}

/// A harness counts on one token for `max_tokens: 1`, also where it is the one that ends the text.
#[tokio::test]
async fn the_token_that_ends_a_text_has_a_log_probability() {
    let server = start("").await;
    let mut body =
        json!({"prompt": [97, 98], "max_tokens": 1, "logprobs": 1, "echo": true, "logit_bias": {"256": 100}});
    let (_, reply) = server.post("/v1/completions", &body).await;
    let choice = &reply["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["text"]), (&json!("stop"), &json!("ab")));
    assert!(choice["logprobs"]["token_logprobs"][2].is_number() && reply["usage"]["completion_tokens"] == 0);
    body["stream"] = true.into();
    let chunks = lines(&server.text("/v1/completions", &body).await);
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["logprobs"]["token_logprobs"][0],
        choice["logprobs"]["token_logprobs"][2]
    );
}

#[tokio::test]
async fn several_prompts_best_of_votes_and_seeds() {
    let server = start("").await;
    let body = json!({"prompt": ["ab", "cd", "ab"], "max_tokens": 6, "seed": 5, "temperature": 1, "ignore_eos": true});
    let (_, reply) = server.post("/v1/completions", &body).await;
    let text = |reply: &Value, i: usize| reply["choices"][i]["text"].as_str().unwrap().to_string();
    assert_eq!(reply["choices"].as_array().unwrap().len(), 3);
    assert_eq!(text(&reply, 0), text(&reply, 2));
    let body = json!({"prompt": [97, 98], "max_tokens": 6, "seed": 5, "temperature": 1, "ignore_eos": true});
    assert_eq!(text(&server.post("/v1/completions", &body).await.1, 0), text(&reply, 0));

    let body = json!({"prompt": "ab", "max_tokens": 6, "seed": 5, "temperature": 1, "best_of": 4, "n": 2, "logprobs": 0});
    let (_, reply) = server.post("/v1/completions", &body).await;
    let mean = |i: usize| {
        let all = reply["choices"][i]["logprobs"]["token_logprobs"].as_array().unwrap();
        all.iter().filter_map(Value::as_f64).sum::<f64>() / all.len().max(1) as f64
    };
    assert!(reply["choices"].as_array().unwrap().len() == 2 && mean(0) >= mean(1));

    let body = json!({"messages": [{"role": "user", "content": "2+2="}], "max_tokens": 8, "vote": 5, "seed": 1,
        "structured_outputs": {"choice": ["4"]}});
    let (_, reply) = server.post("/v1/chat/completions", &body).await;
    assert_eq!(reply["choices"][0]["vote"], json!({"answer": "4", "votes": 5, "of": 5}));
}

#[tokio::test]
async fn constraints_hold_and_biases_count() {
    let server = start("").await;
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["n"], "additionalProperties": false});
    let body = json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 200, "seed": 3,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}});
    let (_, reply) = server.post("/v1/chat/completions", &body).await;
    let choice = &reply["choices"][0];
    if choice["finish_reason"] == "stop" {
        let value: Value = serde_json::from_str(choice["message"]["content"].as_str().unwrap()).unwrap();
        assert!(value["n"].as_i64().is_some_and(|n| (0..=9).contains(&n)), "{value}");
    } else {
        // Spaces without end are allowed too.
        assert!(choice["message"]["content"].as_str().unwrap().starts_with('{'));
    }
    let body = json!({"prompt": "x", "max_tokens": 3, "temperature": 0, "logit_bias": {"97": 100}});
    assert_eq!(server.post("/v1/completions", &body).await.1["choices"][0]["text"], "aaa");
}

#[tokio::test]
async fn a_chain_of_thought_is_told_apart_and_limited() {
    let template = "{% for m in messages %}{{ m.content }}{% endfor %}<think>";
    let server = start(template).await;
    // The model wants `b` for ever; the limit closes the thought, and the answer follows.
    let body = json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 40, "temperature": 0,
        "thinking_budget": 5, "logit_bias": {"98": 100}});
    let (_, reply) = server.post("/v1/chat/completions", &body).await;
    let message = &reply["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "bbbbb");
    assert_eq!(message["content"], "b".repeat(40 - 5 - "</think>".len()));
    let mut body = body;
    body["stream"] = true.into();
    let chunks = lines(&server.text("/v1/chat/completions", &body).await);
    let thought = chunks.iter().filter_map(|c| c["choices"][0]["delta"]["reasoning_content"].as_str());
    assert_eq!(thought.collect::<String>(), "bbbbb");
}

#[tokio::test]
async fn bad_bodies_get_openais_errors_and_leave_others_alone() {
    let server = start("").await;
    let chat = |more: Value| {
        let mut body = json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 2});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let long = "x".repeat(2000);
    let other = server.clone();
    let stream = tokio::spawn(async move {
        let body = json!({"prompt": "a", "max_tokens": 100, "stream": true, "logit_bias": {"98": 100}});
        lines(&other.text("/v1/completions", &body).await).len()
    });
    for (body, status, param) in [
        (chat(json!({"model": "gpt-5"})), 404, "model"),
        (chat(json!({"temperature": -1})), 400, "temperature"),
        (chat(json!({"top_p": 0})), 400, "top_p"),
        (chat(json!({"top_k": -7})), 400, "top_k"),
        (chat(json!({"n": 1_000_000})), 400, "n"),
        (chat(json!({"n": 0})), 400, "n"),
        (chat(json!({"max_tokens": 0})), 400, "max_tokens"),
        (chat(json!({"max_tokens": 100_000})), 400, "max_tokens"),
        (chat(json!({"messages": []})), 400, "messages"),
        (chat(json!({"messages": [{"role": "user", "content": long}]})), 400, "max_tokens"),
        (chat(json!({"top_logprobs": 999, "logprobs": true})), 400, "top_logprobs"),
        (
            chat(
                json!({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "what"}}}}),
            ),
            400,
            "response_format",
        ),
        (chat(json!({"structured_outputs": {"regex": "("}})), 400, "response_format"),
        (chat(json!({"structured_outputs": {"regex": "a", "choice": ["b"]}})), 400, "response_format"),
        (chat(json!({"logit_bias": {"x": 1}})), 400, "logit_bias"),
        (chat(json!({"tools": [{"type": "function"}]})), 400, "tools"),
        (chat(json!({"tools": [{"type": "function", "function": {"name": "f"}}]})), 400, "tools"),
        (chat(json!({"tool_choice": "required"})), 400, "tool_choice"),
        (chat(json!({"reasoning_effort": "extreme"})), 400, "reasoning_effort"),
        (chat(json!({"vote": 3, "stream": true})), 400, "vote"),
        (chat(json!({"stop": [""]})), 400, "stop"),
    ] {
        let (got, reply) = server.post("/v1/chat/completions", &body).await;
        assert_eq!((got, reply["error"]["param"].as_str()), (status, Some(param)), "{body}: {reply}");
        assert!(reply["error"]["message"].as_str().unwrap().len() > 20);
    }
    for (raw, status) in [
        ("{", 400),
        ("{\"messages\": 3}", 400),
        ("[]", 400),
        ("{\"messages\": [{\"role\": \"user\", \"content\": \"\u{fffd}", 400),
    ] {
        assert_eq!(server.raw("/v1/chat/completions", raw.as_bytes().to_vec()).await.0, status, "{raw}");
    }
    assert_eq!(server.raw("/v1/chat/completions", vec![0xff, 0xfe, b'{']).await.0, 400);
    let (status, reply) = server.raw("/v1/completions", vec![b' '; 200_000]).await;
    assert!(status == 413 && reply["error"]["message"].is_string(), "{reply}");
    assert_eq!(server.get("/v1/nothing").await.0, 404);
    assert_eq!(server.get("/v1/completions").await.0, 405);
    assert_eq!(stream.await.unwrap(), 101);
}

#[tokio::test]
async fn what_operators_read_is_there() {
    let server = start("").await;
    let body = json!({"prompt": "a", "max_tokens": 3, "ignore_eos": true});
    server.post("/v1/completions", &body).await;
    let (_, models) = server.json("/v1/models").await;
    assert_eq!(models["data"][0]["id"], "tiny");
    assert_eq!(server.json("/v1/models/tiny").await.0, 200);
    server.until(|s| s.generated == 3 && s.running == 0).await;
    let metrics = server.get("/metrics").await.1;
    for line in [
        "collegium_tokens_generated 3.0",
        "collegium_time_to_first_token_seconds_count 1",
        "collegium_http_replies_total{path=\"/v1/completions\",status=\"200\"} 1",
        "collegium_samples_running 0.0",
        "collegium_memory_read_rate 1000000000.0",
        "collegium_energy_joules 4.5",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|l| l.strip_prefix(&format!("collegium_{name} ")));
        line.unwrap_or_else(|| panic!("{name} is not in\n{metrics}")).parse().unwrap()
    };
    // The prompt is one token, so every step decodes: each of one row, of weights and a page.
    let steps = value("engine_steps");
    assert!(value("decode_bytes") > steps * value("cache_page_bytes") && value("decode_seconds") > 0.0);
    let share = value("decode_bytes") / (value("decode_seconds") * 1e9);
    assert!((value("memory_read_share") / share - 1.0).abs() < 1e-9);
    let (computed, padding) = (value("tokens_computed"), value("tokens_padding"));
    assert!((value("padding_share") - padding / (computed + padding)).abs() < 1e-9);
    let (_, document) = server.json("/openapi.json").await;
    for path in ["/v1/chat/completions", "/v1/completions", "/tokenize", "/metrics"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert!(document["components"]["schemas"]["ChatRequest"].is_object());
    assert!(server.get("/").await.1.contains("<html"));
    assert_eq!((server.get("/health").await.0, server.get("/ready").await.0), (200, 200));
    let (_, tokens) = server.post("/tokenize", &json!({"prompt": "hé"})).await;
    assert_eq!(tokens["tokens"], json!([104, 195, 169]));
    assert_eq!(server.post("/detokenize", &json!({"tokens": [104, 195, 169]})).await.1["prompt"], "hé");
    let chat = json!({"messages": [{"role": "user", "content": "ab"}]});
    assert_eq!(server.post("/tokenize", &chat).await.1["count"], 2);
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed() {
    let server = start("").await;
    let body = json!({"prompt": "a", "max_tokens": 900, "ignore_eos": true, "stream": false});
    for stream in [true, false] {
        let mut body = body.clone();
        body["stream"] = stream.into();
        let waiting = server.text("/v1/completions", &body);
        tokio::time::timeout(std::time::Duration::from_millis(300), waiting).await.expect_err("it was quick");
        server.until(|s| s.running == 0 && s.waiting == 0).await;
    }
    assert!(server.get("/metrics").await.1.contains("collegium_requests_cancelled_total 2"));
}

#[tokio::test]
async fn a_thousand_connections_and_half_open_ones_are_served() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = start("").await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
        socket.write_all(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Le").await.unwrap();
        idle.push(socket);
    }
    let body = json!({"prompt": "a", "max_tokens": 3, "ignore_eos": true});
    assert_eq!(server.post("/v1/completions", &body).await.0, 200);
    // A head that is completed late is still answered.
    let late = idle.last_mut().unwrap();
    late.write_all(b"ngth: 2\r\nConnection: close\r\n\r\n{}").await.unwrap();
    let mut reply = String::new();
    late.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
}

#[tokio::test]
async fn keys_open_what_they_should() {
    let server: Server =
        harness::start_with("", |options| options.keys = collegium_api::Keys::new(["secret"])).await;
    let body = json!({"prompt": "a", "max_tokens": 1});
    let (status, reply) = server.post("/v1/completions", &body).await;
    assert_eq!((status, reply["error"]["code"].as_str()), (401, Some("invalid_api_key")));
    assert_eq!(server.get("/health").await.0, 200);
    let request = server.client.post(server.url("/v1/completions")).bearer_auth("secret").json(&body);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_shutdown_lets_answers_end() {
    let server = start("").await;
    let other = server.clone();
    let running = tokio::spawn(async move {
        let body = json!({"prompt": "a", "max_tokens": 60, "ignore_eos": true});
        other.post("/v1/completions", &body).await
    });
    server.until(|s| s.running == 1).await;
    server.stop();
    let (status, reply) = running.await.unwrap();
    assert_eq!((status, reply["usage"]["completion_tokens"].as_u64()), (200, Some(60)));
    assert!(server.client.get(server.url("/health")).send().await.is_err());
}

#[tokio::test]
async fn a_load_is_counted_and_shared_prompts_are_found_in_the_cache() {
    use collegium_api::client::Client;
    use collegium_api::load::{Load, run};
    use std::time::Duration;
    let server = start("").await;
    let client = Client::new(&server.url("/v1"), None);
    assert_eq!(client.model().await.unwrap(), "tiny");
    let load = Load {
        requests: 6,
        concurrency: 2,
        prompt: 64,
        distinct: 0,
        mixed: false,
        cancel: 0.0,
        shared: 0.5,
        new: 5,
        samples: 1,
        vocab: 200,
        first: Duration::from_secs(60),
        between: Duration::ZERO,
        seed: 1,
    };
    let found = run(&client, &load, |_| ()).await.unwrap();
    assert_eq!((found.answered, found.failed, found.goodput), (6, 0, 0.0));
    // Two begin at once; four of six find the two pages that all share.
    assert!(found.cached_share >= 4.0 * 32.0 / (6.0 * 64.0), "{found:?}");
    assert!(found.first_ms.p50 > 0.0 && found.longest_gap_ms >= found.between_ms.p50, "{found:?}");
    let soak = Load {
        requests: 120,
        concurrency: 12,
        distinct: 10,
        mixed: true,
        cancel: 0.2,
        new: 12,
        ..load.clone()
    };
    let found = run(&client, &soak, |_| ()).await.unwrap();
    assert!(
        found.cancelled > 5 && found.answered + found.cancelled == 120 && found.mixed_up == 0,
        "{found:?}"
    );
    server.until(|s| s.running == 0 && s.waiting == 0 && s.pages_in_use == 0).await;
    let error = run(&Client::new("http://127.0.0.1:1", None), &load, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("is the server up?"), "{error}");
}
