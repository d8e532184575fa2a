"""boto3 against the emulator's binary. BEDROCK_EMULATOR_BIN is the path of the binary."""

import json
import os
import re
import subprocess
import urllib.request

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

MODEL = "anthropic.claude-3-5-sonnet-20241022-v2:0"
KEY_ID = "AKIDEMULATOREXAMPLE"
SECRET = "emulator-secret-access-key-example"
API_KEY = "bedrock-api-key-emulator-example"


@pytest.fixture(scope="module")
def endpoint():
    binary = os.environ.get("BEDROCK_EMULATOR_BIN")
    if not binary:
        pytest.fail("set BEDROCK_EMULATOR_BIN to the path of the bedrock-emulator binary (cargo build -p bedrock-emulator)")
    arguments = [binary, "--listen", "127.0.0.1:0", "--pace", "0", "--first-token-ms", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            first_line = process.stdout.readline()
            found = re.search(r"listening on (http:\S+)", first_line)
            assert found, f"no address in {first_line!r}"
            yield found.group(1)
        finally:
            process.terminate()


@pytest.fixture
def connect(endpoint, monkeypatch):
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)

    def client(attempts=1, key_id=KEY_ID, secret=SECRET, token=None):
        return boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )

    return client


def user(text):
    return [{"role": "user", "content": [{"text": text}]}]


def body(text):
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "messages": [{"role": "user", "content": text}]})


def stream(client, text, model=MODEL):
    return client.converse_stream(modelId=model, messages=user(text))["stream"]


def text_of(events):
    return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)


def newest_call(endpoint):
    with urllib.request.urlopen(f"{endpoint}/_emulator/ledger", timeout=10) as response:
        return json.load(response)[-1]


def test_converse_and_its_stream_give_one_answer(connect, endpoint):
    whole = connect().converse(modelId=MODEL, messages=user("Explain rivers"))
    text = whole["output"]["message"]["content"][0]["text"]
    assert text.startswith("## Rivers")
    events = list(stream(connect(), "Explain rivers"))
    assert text_of(events) == text
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert events[-1]["metadata"]["usage"] == whole["usage"]
    call = newest_call(endpoint)
    assert (call["principal"], call["outcome"], call["httpVersion"]) == (KEY_ID, "completed", "HTTP/1.1")


def test_a_model_is_found_by_the_arn_of_its_inference_profile(connect, endpoint):
    arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{MODEL}"
    assert text_of(stream(connect(), "hello", arn)).startswith("Hello")
    assert newest_call(endpoint)["modelId"] == arn


def test_invoke_model_and_its_stream_give_anthropics_messages(connect):
    message = json.load(connect().invoke_model(modelId=MODEL, body=body("Explain rivers"))["body"])
    assert message["stop_reason"] == "end_turn"
    events = connect().invoke_model_with_response_stream(modelId=MODEL, body=body("Explain rivers"))["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in events]
    assert "".join(chunk.get("delta", {}).get("text", "") for chunk in chunks) == message["content"][0]["text"]
    assert chunks[-1]["type"] == "message_stop"


def tool_uses(answer):
    return [block["toolUse"] for block in answer["output"]["message"]["content"] if "toolUse" in block]


def test_a_tool_is_chosen_answered_and_its_figures_told(connect):
    client = connect()
    schema = {
        "type": "object",
        "properties": {"from": {"type": "string", "format": "date"}, "group_by": {"type": "string", "enum": ["day", "model"]}},
        "required": ["from"],
    }
    spec = {"name": "usage", "description": "Tokens and cost by day or model.", "inputSchema": {"json": schema}}
    arguments = {"modelId": MODEL, "toolConfig": {"tools": [{"toolSpec": spec}]}}
    messages = user("What did we spend since 2026-11-02, by model?")
    answer = client.converse(messages=messages, **arguments)
    assert answer["stopReason"] == "tool_use"
    [use] = tool_uses(answer)
    assert (use["name"], use["input"]) == ("usage", {"from": "2026-11-02", "group_by": "model"})
    rows = [{"model": "opus", "cost_usd": 2}, {"model": "haiku", "cost_usd": 1}]
    result = {"toolResult": {"toolUseId": use["toolUseId"], "content": [{"json": {"rows": rows}}]}}
    messages += [answer["output"]["message"], {"role": "user", "content": [result]}]
    told = client.converse(messages=messages, **arguments)
    assert told["stopReason"] == "end_turn"
    assert "**Cost USD: $3.00** in 2 rows; the most is $2.00 (opus)." in told["output"]["message"]["content"][0]["text"]
    messages[-1]["content"][0]["toolResult"]["toolUseId"] = "other"
    with pytest.raises(client.exceptions.ValidationException, match="Expected toolResult blocks at messages.2.content"):
        client.converse(messages=messages, **arguments)


@pytest.mark.parametrize("prefix", ["/think", "/redacted"])
def test_reasoning_goes_back_as_it_came_or_is_refused(connect, prefix):
    client = connect()
    messages = user(f"{prefix} Explain rivers")
    message = client.converse(modelId=MODEL, messages=messages)["output"]["message"]
    messages += [message, *user("And lakes?")]
    client.converse(modelId=MODEL, messages=messages)
    reasoning = message["content"][0]["reasoningContent"]
    if prefix == "/think":
        reasoning["reasoningText"]["text"] += "."
    else:
        reasoning["redactedContent"] += b"."
    with pytest.raises(client.exceptions.ValidationException, match="messages.1.content.0: Invalid"):
        client.converse(modelId=MODEL, messages=messages)


def test_an_image_is_read_and_one_of_another_format_refused(connect):
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + bytes(100)

    def send(image_format):
        image = {"image": {"format": image_format, "source": {"bytes": png}}}
        answer = connect().converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Explain rivers"}, image]}])
        return answer["output"]["message"]["content"][0]["text"]

    assert send("png").startswith("You sent an image (PNG, 640×480, 124 bytes).\n\n## Rivers")
    with pytest.raises(ClientError, match="the image appears to be a image/png image"):
        send("jpeg")


def test_an_api_key_is_taken_as_a_bearer_token(endpoint, monkeypatch):
    """botocore sends bearer tokens over HTTPS only, so the header is added where it would be."""
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)

    def client(api_key):
        made = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=endpoint, config=Config(signature_version=UNSIGNED))

        def authorize(request, **_):
            request.headers["Authorization"] = f"Bearer {api_key}"

        made.meta.events.register("before-send.bedrock-runtime", authorize)
        return made

    client(API_KEY).converse(modelId=MODEL, messages=user("hello"))
    assert newest_call(endpoint)["principal"] == "api-key"
    wrong = client("wrong")
    with pytest.raises(wrong.exceptions.AccessDeniedException, match="API Key"):
        wrong.converse(modelId=MODEL, messages=user("hello"))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key_id": "AKIDSOMEONEELSE"}, "UnrecognizedClientException"),
        ({"token": "surplus"}, "UnrecognizedClientException"),
    ],
)
def test_wrong_keys_have_the_error_codes_of_aws(connect, options, code):
    with pytest.raises(ClientError) as refused:
        connect(**options).converse(modelId=MODEL, messages=user("hello"))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_errors_are_typed(connect):
    client = connect()
    with pytest.raises(client.exceptions.ValidationException, match="The provided model identifier is invalid."):
        client.converse(modelId="anthropic.claude-9", messages=user("hello"))
    with pytest.raises(client.exceptions.ValidationException, match="is blank"):
        client.converse(modelId=MODEL, messages=user(" "))
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse(modelId=MODEL, messages=user("/throttle hello"))


def test_throttling_is_retried_and_then_answered(connect):
    answer = connect(attempts=3).converse(modelId=MODEL, messages=user("/throttle 2 hello"))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2


def test_an_exception_in_mid_stream_is_raised_after_the_text_before_it(connect):
    seen = []
    with pytest.raises(EventStreamError, match="modelStreamErrorException"):
        for event in stream(connect(), "/error-mid modelStreamErrorException 5 Explain rivers"):
            seen.append(event)
    assert sum("contentBlockDelta" in event for event in seen) == 5


def test_a_broken_frame_is_noticed(connect):
    with pytest.raises(Exception, match="(?i)checksum"):
        list(stream(connect(), "/broken-frame 3 Explain rivers"))


def test_a_cut_connection_is_an_error(connect):
    seen = []
    with pytest.raises(Exception, match="(?i)connection|response ended|incomplete"):
        for event in stream(connect(), "/cut 3 Explain rivers"):
            seen.append(event)
    assert sum("contentBlockDelta" in event for event in seen) == 3
