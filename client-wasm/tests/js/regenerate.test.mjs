// A question that is asked again, a message in the place of another, and instructions of a person's own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, ChatError, until } from "./harness.mjs";
import { FakeWebSocket, serve, Turn } from "./fake-server.mjs";

/** A proxy that keeps its turns by the id of their frame, over clients and connections. */
function keeping() {
  const sent = [];
  const turns = new Map();
  serve((frame, socket) => {
    sent.push(frame);
    if (frame.type === "chat.cancel") return turns.get(frame.data.requestId)?.complete("cancelled");
    if (frame.type === "chat.resume") return undefined;
    turns.set(frame.id, new Turn(socket, frame, turns.get(frame.id)?.messageId ?? `msg_${turns.size + 2}`));
    return undefined;
  });
  return { sent, turns };
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const AGAIN = { sessionId: "s", messageId: "msg_1" };

test("regenerate streams another answer to the same question", async () => {
  const { sent, turns } = keeping();
  const client = chat();
  const reading = read(client.regenerate({ ...AGAIN, id: "mine", model: "model-b", systemPrompt: "Be brief." }));
  const turn = await until(() => turns.get("mine"));
  turn.text("again");
  turn.complete();
  const chunks = await reading;
  const data = { ...AGAIN, model: "model-b", systemPrompt: "Be brief.", streaming: true };
  assert.deepEqual(sent, [{ id: "mine", type: "chat.regenerate", data }]);
  assert.deepEqual(chunks.map((chunk) => chunk.type), ["token", "done"]);
  assert.deepEqual([chunks[1].content, chunks[1].messageId], ["again", "msg_2"]);
  assert.deepEqual(Object.keys(client.usage().byModel), ["model-b"]);
});

test("it outlives a lost connection and is asked for once", async (t) => {
  let now = 1_000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const { sent, turns } = keeping();
  const reading = read(chat().regenerate(AGAIN));
  await until(() => sent.length === 1);
  const [{ id }] = sent;
  FakeWebSocket.all[0].drop(1006);
  now += 500;
  t.mock.timers.tick(500);
  await until(() => sent.length === 2);
  turns.get(id).text("again");
  turns.get(id).complete();
  assert.equal((await reading).at(-1).content, "again");
  assert.deepEqual(sent[0], sent[1]);
});

test("it is stopped by its signal, and by leaving the loop", async () => {
  const { sent } = keeping();
  const client = chat();
  const stop = new AbortController();
  const reading = read(client.regenerate({ ...AGAIN, id: "mine" }, { signal: stop.signal }));
  await until(() => sent.length === 1);
  stop.abort();
  assert.equal((await reading).at(-1).stopReason, "cancelled");
  assert.deepEqual(sent[1].data, { requestId: "mine" });
  const left = client.regenerate({ ...AGAIN, id: "other" });
  await until(() => sent.length === 3);
  await left.return();
  assert.deepEqual(sent[3].data, { requestId: "other" });
});

test("what the proxy refuses is a ChatError", async () => {
  serve((frame, socket) => {
    socket.receive({ id: frame.id, type: "chat.error", data: { code: "invalid_request", message: "There is none.", retryable: false } });
  });
  const error = await chat().regenerate(AGAIN).next().catch((caught) => caught);
  assert.ok(error instanceof ChatError);
  assert.deepEqual([error.code, error.message], ["invalid_request", "There is none."]);
});

test("a message takes the place of a question and has instructions of its own", async () => {
  const { sent, turns } = keeping();
  const request = { id: "mine", sessionId: "s", message: "hi", replaces: "msg_0", systemPrompt: "Be brief." };
  const reading = read(chat().streamMessage(request));
  (await until(() => turns.get("mine"))).complete();
  await reading;
  const { id, ...data } = request;
  assert.deepEqual(sent, [{ id, type: "chat.send_message", data: { ...data, streaming: true } }]);
});
