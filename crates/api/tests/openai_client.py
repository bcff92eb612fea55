"""What the official client does with a server. Arguments: the address of a server, and of one whose chat template knows tools."""

import json
import sys

from openai import BadRequestError, NotFoundError, OpenAI

client = OpenAI(base_url=sys.argv[1] + "/v1", api_key="secret", max_retries=0)
assert [m.id for m in client.models.list()] == ["tiny"]

messages = [{"role": "user", "content": "Hi"}]
whole = client.chat.completions.create(model="tiny", messages=messages, max_completion_tokens=9, temperature=0, logprobs=True, top_logprobs=2)
choice = whole.choices[0]
assert choice.finish_reason in ("length", "stop") and whole.usage.total_tokens == 2 + whole.usage.completion_tokens
assert len(choice.logprobs.content) == whole.usage.completion_tokens

stream = client.chat.completions.create(
    model="tiny", messages=messages, max_completion_tokens=9, temperature=0, stream=True, stream_options={"include_usage": True}
)
text, usage = "", None
for chunk in stream:
    usage = chunk.usage or usage
    for piece in chunk.choices:
        text += piece.delta.content or ""
assert text == choice.message.content and usage == whole.usage, (text, usage)

many = client.completions.create(model="tiny", prompt=["ab", "cd"], max_tokens=4, n=2, seed=1, extra_body={"ignore_eos": True})
assert [c.index for c in many.choices] == [0, 1, 2, 3] and many.usage.completion_tokens == 16

one = client.chat.completions.create(
    model="tiny", messages=messages, max_completion_tokens=20,
    response_format={"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"enum": ["yes", "no"]}}},
)
assert one.choices[0].message.content.strip() in ('"yes"', '"no"'), one

for wrong, error in [({"model": "gpt-5"}, NotFoundError), ({"temperature": -1}, BadRequestError)]:
    try:
        client.chat.completions.create(**{"model": "tiny", "messages": messages, **wrong})
    except error as e:
        assert e.body["message"] and e.body["type"] == "invalid_request_error", e.body
    else:
        raise AssertionError(f"{wrong} was taken")
# Log-probabilities of a prompt.
echoed = client.completions.create(model="tiny", prompt=[97, 98, 99], max_tokens=0, echo=True, logprobs=1).choices[0]
assert echoed.text == "abc" and echoed.logprobs.tokens == ["a", "b", "c"] and echoed.logprobs.token_logprobs[0] is None
assert all(x < 0 for x in echoed.logprobs.token_logprobs[1:])

# Calls: one that must come, its answer, and the same as a stream, with the client's own accumulation of pieces.
calling = OpenAI(base_url=sys.argv[2] + "/v1", api_key="secret", max_retries=0)
schema = {"type": "object", "properties": {"city": {"enum": ["Bern", "Oslo"]}}, "required": ["city"], "additionalProperties": False}
tools = [{"type": "function", "function": {"name": "weather", "description": "Today's", "parameters": schema}}]
ask = {"model": "tiny", "messages": messages, "tools": tools, "seed": 3, "max_completion_tokens": 200, "parallel_tool_calls": False}
forced = {"type": "function", "function": {"name": "weather"}}
choice = calling.chat.completions.create(**ask, tool_choice=forced).choices[0]
call = choice.message.tool_calls[0]
assert choice.finish_reason == "tool_calls" and choice.message.content is None and call.function.name == "weather"
assert json.loads(call.function.arguments)["city"] in ("Bern", "Oslo")
answered = messages + [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
assert calling.chat.completions.create(**{**ask, "messages": answered, "max_completion_tokens": 5}).choices[0].message.role == "assistant"
with calling.chat.completions.stream(**ask, tool_choice="required") as stream:
    kinds = [event.type for event in stream]
    final = stream.get_final_completion().choices[0]
assert "tool_calls.function.arguments.done" in kinds, kinds
assert final.message.tool_calls[0].function.arguments == call.function.arguments, final

print("all as it should be")
