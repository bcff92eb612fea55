"""What the official client does with a server. Arguments: the address of the server."""

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
print("all as it should be")
