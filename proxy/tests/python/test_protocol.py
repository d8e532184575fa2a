"""The protocol as an independent WebSocket implementation sees it: Python's `websockets`.

    OUTCROP_PROXY_BIN=target/release/outcrop-proxy pytest proxy/tests/python
"""

import asyncio
import json
import os
import subprocess
import threading

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect as connect_sync

ANSWER_S = 30


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A proxy in demo mode that answers as fast as it can."""
    home = tmp_path_factory.mktemp("home")
    proxy = subprocess.Popen(
        [os.path.abspath(os.environ["OUTCROP_PROXY_BIN"])]
        + ["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0", "--log", "warn", "--store", "memory"],
        cwd=home,
        env={"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield "ws://" + listening(proxy) + "/ws"
    finally:
        proxy.terminate()
        assert proxy.wait(ANSWER_S) == 0


def listening(proxy):
    watchdog = threading.Timer(ANSWER_S, proxy.kill)
    watchdog.start()
    try:
        lines = (line for line in proxy.stdout if line.startswith("listening on http://"))
        return next(lines).removeprefix("listening on http://").strip()
    finally:
        watchdog.cancel()


def frame(kind, id="r", **data):
    return json.dumps({"id": id, "type": kind, "data": data}, ensure_ascii=False)


async def receive(socket):
    async with asyncio.timeout(ANSWER_S):
        return json.loads(await socket.recv())


async def answer(socket, id):
    """The text of a streamed answer and its last frame, every number checked."""
    text, last = "", 0
    while True:
        received = await receive(socket)
        assert received["id"] == id
        data = received["data"]
        if received["type"] != "chat.message_stream":
            assert data["seq"] == last + 1
            return text, received
        assert data["first"] == last + 1
        assert 0 < len(data["content"].encode()) <= 16 * 1024
        text, last = text + data["content"], data["seq"]


async def close_code(socket):
    with pytest.raises(ConnectionClosed) as closed:
        async with asyncio.timeout(ANSWER_S):
            while True:
                await socket.recv()
    return closed.value.rcvd.code if closed.value.rcvd else None


def run(url, conversation, **options):
    async def main():
        async with connect(url, **options) as socket:
            await conversation(socket)

    asyncio.run(main())


def test_a_streamed_answer_is_numbered_and_is_what_history_holds(url):
    async def conversation(socket):
        await socket.send(frame("chat.send_message", sessionId="py-1", message="/length 2000 Rivers", streaming=True))
        text, end = await answer(socket, "r")
        assert end["type"] == "chat.message_complete"
        assert (end["data"]["stopReason"], end["data"]["usage"]["outputTokens"]) == ("end_turn", 2000)
        await socket.send(frame("chat.get_history", id="h", sessionId="py-1"))
        history = await receive(socket)
        assert [message["content"] for message in history["data"]["messages"]] == ["/length 2000 Rivers", text]

    run(url, conversation, subprotocols=["outcrop.v1"])


def test_a_whole_answer_is_one_frame(url):
    async def conversation(socket):
        await socket.send(frame("chat.send_message", message="Hello"))
        received = await receive(socket)
        assert (received["id"], received["type"]) == ("r", "chat.message_response")
        message = received["data"]["message"]
        assert message["role"] == "assistant" and message["content"]
        assert set(message) >= {"messageId", "content", "role", "timestamp", "usage"}
        assert received["data"]["sessionId"]

    run(url, conversation)


def test_a_client_without_asyncio_is_served_too(url):
    with connect_sync(url) as socket:
        socket.send(frame("ping", id="p"))
        assert json.loads(socket.recv(ANSWER_S)) == {"id": "p", "type": "pong", "data": {}}


def test_pings_are_answered_also_in_the_middle_of_a_message_in_parts(url):
    async def conversation(socket):
        async with asyncio.timeout(ANSWER_S):
            await (await socket.ping(b"payload"))
            text = frame("ping", id="p")
            pong = asyncio.get_running_loop().create_future()

            async def parts():
                yield text[:5]
                await (await socket.ping(b"between"))
                pong.set_result(True)
                yield text[5:]

            await socket.send(parts())
            assert pong.done()
        assert (await receive(socket))["type"] == "pong"

    run(url, conversation)


@pytest.mark.parametrize("offer", [None, ["outcrop.v1"], ["something", "outcrop.v1"]])
def test_the_subprotocol_is_chosen_and_compression_is_not(url, offer):
    async def conversation(socket):
        assert socket.subprotocol == ("outcrop.v1" if offer else None)
        assert socket.response.headers.get("Sec-WebSocket-Extensions") is None
        assert socket.protocol.extensions == []

    run(url, conversation, subprotocols=offer, compression="deflate")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (Frame(Opcode.BINARY, b"{}"), 1003),
        (Frame(Opcode.TEXT, b"\xff\xfe"), 1007),
        (Frame(Opcode.TEXT, b"x" * (1024 * 1024 + 1)), 1009),
        (Frame(Opcode.CONT, b"{}"), 1002),
        (Frame(Opcode.CLOSE, b"\x03\xe8bye"), 1000),
    ],
    ids=["binary", "not UTF-8", "too large", "continuation of nothing", "close"],
)
def test_what_is_not_allowed_closes_the_socket_with_the_right_code(url, sent, code):
    async def conversation(socket):
        socket.transport.write(sent.serialize(mask=True))
        assert await close_code(socket) == code

    run(url, conversation)


def test_frames_that_make_no_sense_close_the_socket_in_the_end(url):
    async def conversation(socket):
        for _ in range(33):
            await socket.send("nonsense")
        for _ in range(33):
            assert (await receive(socket))["data"]["code"] == "invalid_request"
        assert await close_code(socket) == 4501

    run(url, conversation)


def test_a_message_of_100000_characters_is_taken_and_a_longer_one_is_refused(url):
    async def conversation(socket):
        await socket.send(frame("chat.send_message", sessionId="py-2", message="\u20ac" * 100_000, streaming=True))
        _, end = await answer(socket, "r")
        assert end["type"] == "chat.message_complete", end
        await socket.send(frame("chat.send_message", id="s", message="x" * 100_001))
        assert (await receive(socket))["data"]["code"] == "message_too_large"
        # Few enough characters, but at three bytes each too many tokens.
        await socket.send(frame("chat.send_message", id="t", message="\U0001f30d" * 100_000))
        assert (await receive(socket))["data"]["code"] == "message_too_large"

    run(url, conversation)


def test_an_answer_of_the_most_tokens_comes_whole(url):
    async def conversation(socket):
        await socket.send(frame("chat.send_message", message="/length 4096 Rivers", streaming=True))
        text, end = await answer(socket, "r")
        assert end["data"]["usage"]["outputTokens"] == 4096
        assert len(text) > 8_192

    run(url, conversation)
