// A message under an id of the page's own, so that another page can send it again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, ChatError, until } from "./harness.mjs";
import { FakeWebSocket, serve, Turn, USAGE } from "./fake-server.mjs";

/** A proxy that keeps its turns by the id of their message, over clients and connections. */
function keeping() {
  const sent = [];
  const turns = new Map();
  serve((frame, socket) => {
    sent.push(frame);
    if (frame.type === "chat.cancel") return turns.get(frame.data.requestId)?.complete("cancelled");
    const turn = new Turn(socket, frame, turns.get(frame.id)?.messageId ?? `msg_${turns.size + 1}`);
    turns.set(frame.id, turn);
    return undefined;
  });
  return { sent, turns };
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("the id is the frame's, and no field of the message", async () => {
  const { sent, turns } = keeping();
  const reading = read(chat().streamMessage({ id: "mine \"1\"", sessionId: "s", message: "hi", model: "model-a" }));
  const turn = await until(() => turns.get("mine \"1\""));
  turn.text("a");
  turn.text("b");
  turn.complete();
  const chunks = await reading;
  assert.deepEqual(sent.map(({ id, data }) => [id, data]), [["mine \"1\"", { sessionId: "s", message: "hi", model: "model-a", streaming: true }]]);
  assert.equal(chunks.at(-1).content, "ab");
});

test("sendMessage has one too", async () => {
  const sent = [];
  serve((frame, socket) => {
    sent.push(frame);
    const message = { messageId: "msg_1", content: "Hello!", role: "assistant", timestamp: "2026-11-23T09:30:00.000Z", usage: USAGE };
    socket.receive({ id: frame.id, type: "chat.message_response", data: { sessionId: "s", message } });
  });
  assert.equal((await chat().sendMessage({ id: "mine", sessionId: "s", message: "hi" })).content, "Hello!");
  assert.deepEqual(sent.map(({ id, data }) => [id, data]), [["mine", { sessionId: "s", message: "hi", streaming: false }]]);
});

test("another client sends the same message again and gets its answer", async () => {
  const { sent, turns } = keeping();
  const message = { id: "mine", sessionId: "s", message: "hi" };
  const first = chat();
  const lost = first.streamMessage(message).next().catch((error) => error.code);
  await until(() => turns.size === 1);
  first.close();
  assert.equal(await lost, "closed");
  const reading = read(chat().streamMessage(message));
  await until(() => sent.length === 2);
  turns.get("mine").text("a");
  turns.get("mine").complete();
  assert.equal((await reading).at(-1).messageId, "msg_1");
  assert.deepEqual(sent[0], sent[1]);
});

test("a stop names it until the answer has a name", async () => {
  const { sent } = keeping();
  const stop = new AbortController();
  const reading = read(chat().streamMessage({ id: "mine", sessionId: "s", message: "hi" }, { signal: stop.signal }));
  await until(() => sent.length === 1);
  stop.abort();
  assert.equal((await reading).at(-1).stopReason, "cancelled");
  assert.deepEqual(sent[1].data, { requestId: "mine" });
});

test("one that cannot be is refused, and nothing is sent", async () => {
  const { sent, turns } = keeping();
  const client = chat();
  const streaming = read(client.streamMessage({ id: "mine", sessionId: "s", message: "hi" }));
  await until(() => sent.length === 1);
  for (const id of ["", "a\n", "ä".repeat(65), "mine"]) {
    const error = await client.streamMessage({ id, sessionId: "s", message: "hi" }).next().catch((caught) => caught);
    assert.ok(error instanceof ChatError, id);
    assert.deepEqual([error.code, error.retryable], ["invalid_request", false]);
  }
  turns.get("mine").complete();
  await streaming;
  assert.equal(FakeWebSocket.all[0].sent.length, 2, "the hello and the one message");
});
