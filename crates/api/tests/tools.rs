//! Tool calls as clients meet them, in formats of each kind.

mod harness;

use harness::{Server, lines, start};
use serde_json::{Value, json};

/// A template that lets the model write calls as Hermes and Qwen do.
const HERMES: &str = "{% if tools %}{{ tools | tojson }}<tool_call>{% endif %}{% for m in messages %}{{ m.content }}{{ m.tool_calls | tojson if m.tool_calls }}{% endfor %}";
/// The same of Llama 3.
const LLAMA: &str = "{% if tools %}{{ tools | tojson }}{\"name\": .., \"parameters\": ..}{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}";
/// Templates written as those of published models: see `templates/README.md`.
const QWEN3_CODER: &str = include_str!("templates/qwen3_coder.jinja");
const PHI4_MINI: &str = include_str!("templates/phi4_mini.jinja");

/// A chat that may call two functions.
fn with_tools(more: Value) -> Value {
    let place = json!({"type": "object", "properties": {"place": {"enum": ["Bern", "Ürümqi"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["place", "days"], "additionalProperties": false});
    let tools = json!([{"type": "function", "function": {"name": "forecast", "parameters": place}}, {"type": "function", "function": {"name": "now"}}]);
    let mut body = json!({"messages": [{"role": "user", "content": "Rain?"}], "tools": tools, "max_tokens": 300, "seed": 7});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The message that the pieces of a stream make, and why it ended.
fn streamed_message(chunks: &[Value]) -> (Value, Value) {
    let (mut content, mut calls, mut finish) = (String::new(), Vec::<Value>::new(), Value::Null);
    for choice in chunks.iter().map(|c| &c["choices"][0]) {
        content += choice["delta"]["content"].as_str().unwrap_or_default();
        for piece in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = piece["index"].as_u64().unwrap() as usize;
            let more = piece["function"]["arguments"].as_str().unwrap();
            match calls.get_mut(index) {
                None => {
                    assert!(index == calls.len() && piece["id"].is_string() && more.is_empty(), "{piece}");
                    calls.push(piece.clone());
                }
                Some(call) => {
                    assert!(piece["id"].is_null() && piece["function"]["name"].is_null(), "{piece}");
                    let all = call["function"]["arguments"].as_str().unwrap().to_string() + more;
                    call["function"]["arguments"] = all.into();
                }
            }
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
    }
    (json!({"content": content, "tool_calls": calls}), finish)
}

/// Of whole calls and streamed ones: function and arguments, as both say them.
fn called(message: &Value) -> Vec<(String, Value)> {
    let calls = message["tool_calls"].as_array().unwrap();
    let one = |call: &Value| {
        assert!(call["type"] == "function" && call["id"].as_str().unwrap().starts_with("call_"), "{call}");
        let arguments = call["function"]["arguments"].as_str().unwrap();
        (call["function"]["name"].as_str().unwrap().into(), serde_json::from_str(arguments).unwrap())
    };
    calls.iter().map(one).collect()
}

#[tokio::test]
async fn calls_that_must_come_are_valid_whatever_the_model_wants() {
    for template in [HERMES, LLAMA, QWEN3_CODER, PHI4_MINI] {
        let server = start(template).await;
        let named = json!({"type": "function", "function": {"name": "forecast"}});
        for choice in [json!("required"), named.clone()] {
            let mut body = with_tools(json!({"tool_choice": choice, "parallel_tool_calls": false}));
            let (_, reply) = server.post("/v1/chat/completions", &body).await;
            let message = &reply["choices"][0]["message"];
            assert!(
                reply["choices"][0]["finish_reason"] == "tool_calls" && message["content"].is_null(),
                "{reply}"
            );
            let calls = called(message);
            let (name, arguments) = &calls[0];
            assert_eq!(calls.len(), 1);
            if choice == named || name == "forecast" {
                assert!(["Bern", "Ürümqi"].contains(&arguments["place"].as_str().unwrap()), "{arguments}");
                assert!((1..=9).contains(&arguments["days"].as_i64().unwrap()) && name == "forecast");
            } else {
                assert_eq!((name.as_str(), arguments), ("now", &json!({})));
            }
            body["stream"] = true.into();
            let chunks = lines(&server.text("/v1/chat/completions", &body).await);
            let (streamed, finish) = streamed_message(&chunks);
            assert_eq!(
                (called(&streamed), finish, &streamed["content"]),
                (calls, json!("tool_calls"), &json!(""))
            );
        }
        // One call is what OpenAI promises without `parallel_tool_calls`; with it, the model goes on while it wants to.
        let body =
            with_tools(json!({"tool_choice": "required", "logit_bias": {"10": 100, "44": 100, "59": 100}}));
        let (_, reply) = server.post("/v1/chat/completions", &body).await;
        assert!(reply["choices"][0]["message"]["tool_calls"].as_array().unwrap().len() > 1, "{reply}");
    }
}

#[tokio::test]
async fn calls_that_may_come_are_found_and_their_results_go_back_to_the_model() {
    let server = start(HERMES).await;
    let call = r#"{"name": "forecast", "arguments": {"days": 2, "place": "Bern"}}"#;
    let text = format!(
        "Let me see.\n<tool_call>\n{call}\n</tool_call>\n<tool_call>{{\"name\": \"now\"}}</tool_call>"
    );
    let wants = json!({"structured_outputs": {"choice": [text]}});
    let mut body = with_tools(wants.clone());
    let (_, reply) = server.post("/v1/chat/completions", &body).await;
    let message = reply["choices"][0]["message"].clone();
    assert_eq!(
        (&message["content"], &reply["choices"][0]["finish_reason"]),
        (&json!("Let me see."), &json!("tool_calls"))
    );
    let right =
        vec![("forecast".to_string(), json!({"place": "Bern", "days": 2})), ("now".into(), json!({}))];
    assert_eq!(called(&message), right);
    body["stream"] = true.into();
    let (streamed, finish) = streamed_message(&lines(&server.text("/v1/chat/completions", &body).await));
    assert_eq!(
        (&streamed["content"], called(&streamed), finish),
        (&message["content"], right, json!("tool_calls"))
    );

    // The template sees arguments as an object, as transformers does.
    let answered = json!([{"role": "user", "content": "Rain?"}, message, {"role": "tool", "tool_call_id": "x", "content": "dry"}]);
    let (status, reply) = server
        .post("/v1/chat/completions", &with_tools(json!({"messages": answered, "max_tokens": 2})))
        .await;
    assert_eq!(status, 200, "{reply}");
    let prompt = prompt_of(&server, &json!({"messages": answered, "tools": body["tools"]})).await;
    assert!(prompt.contains(r#""function": {"name": "forecast""#), "{prompt}");
    assert!(prompt.contains(r#""arguments": {"days": 2, "place": "Bern"}"#), "{prompt}");

    // Without tools, or where none may be called, it is text.
    let mut none = with_tools(wants);
    none["tool_choice"] = "none".into();
    let (_, reply) = server.post("/v1/chat/completions", &none).await;
    let choice = &reply["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!(text), &json!("stop")));
    assert!(choice["message"]["tool_calls"].is_null());
    let both = with_tools(json!({"tool_choice": "required", "response_format": {"type": "json_object"}}));
    let (status, reply) = server.post("/v1/chat/completions", &both).await;
    assert_eq!((status, reply["error"]["param"].as_str()), (400, Some("tool_choice")));
    let mut hostile = with_tools(json!({"tool_choice": "required"}));
    hostile["tools"][0]["function"]["parameters"]["properties"]["days"] = json!({"type": "what"});
    let (status, reply) = server.post("/v1/chat/completions", &hostile).await;
    assert_eq!((status, reply["error"]["param"].as_str()), (400, Some("tools")), "{reply}");
}

/// The prompt of a chat, as its tokens say it.
async fn prompt_of(server: &Server, chat: &Value) -> String {
    let (_, tokens) = server.post("/tokenize", chat).await;
    let (_, prompt) = server.post("/detokenize", &json!({"tokens": tokens["tokens"]})).await;
    prompt["prompt"].as_str().unwrap().into()
}

/// What a model of this template says in `text`: whole and as a stream it is a call of `forecast`, and the prompt of the next turn holds `history`.
async fn says_and_hears(template: &str, text: &str, history: &str) {
    let server = start(template).await;
    let mut body = with_tools(json!({"structured_outputs": {"choice": [text]}}));
    let (_, reply) = server.post("/v1/chat/completions", &body).await;
    assert_eq!(reply["choices"][0]["finish_reason"], "tool_calls", "{reply}");
    let message = reply["choices"][0]["message"].clone();
    let right = vec![("forecast".to_string(), json!({"place": "Bern", "days": 2}))];
    assert_eq!((&message["content"], called(&message)), (&json!("Let me see."), right.clone()));
    body["stream"] = true.into();
    let chunks = lines(&server.text("/v1/chat/completions", &body).await);
    let (streamed, finish) = streamed_message(&chunks);
    assert_eq!((called(&streamed), finish), (right, json!("tool_calls")));
    let has_arguments = |chunk: &&Value| {
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        call["function"]["arguments"].as_str().is_some_and(|more| !more.is_empty())
    };
    assert!(chunks.iter().filter(has_arguments).count() > 2, "arguments come in pieces");

    let answered = json!([{"role": "user", "content": "Rain?"}, message, {"role": "tool", "tool_call_id": "x", "content": "dry"}]);
    let prompt = prompt_of(&server, &json!({"messages": answered, "tools": body["tools"]})).await;
    assert!(prompt.contains(history), "{prompt}");
    assert!(prompt.contains("Ürümqi"), "functions are in the prompt: {prompt}");
}

#[tokio::test]
async fn calls_as_qwen3_coder_writes_them() {
    let call = "<tool_call>\n<function=forecast>\n<parameter=days>\n2\n</parameter>\n<parameter=place>\nBern\n</parameter>\n</function>\n</tool_call>";
    let history = format!(
        "<|im_start|>assistant\nLet me see.\n\n{call}<|im_end|>\n<|im_start|>user\n<tool_response>\ndry\n</tool_response>\n<|im_end|>\n"
    );
    says_and_hears(QWEN3_CODER, &format!("Let me see.\n{call}"), &history).await;
}

#[tokio::test]
async fn calls_as_phi4_mini_writes_them() {
    let call = "<|tool_call|>[{\"name\": \"forecast\", \"arguments\": {\"days\": 2, \"place\": \"Bern\"}}]<|/tool_call|>";
    let history = format!("<|assistant|>Let me see.{call}<|end|><|tool|>dry<|end|>");
    says_and_hears(PHI4_MINI, &format!("Let me see.{call}"), &history).await;
}
