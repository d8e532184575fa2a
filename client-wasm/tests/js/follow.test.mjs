import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, until } from "./harness.mjs";
import { serve, USAGE } from "./fake-server.mjs";

const HELD = { sessionId: "s", inProgress: { seq: 2, message: { messageId: "msg_1", role: "assistant", content: "Bed", timestamp: "2026-11-23T12:00:00.000Z" } } };

/** A proxy with one answer under way, asked for by another page. */
function elsewhere() {
  const frames = [];
  const shared = { frames, socket: undefined };
  serve((frame, socket) => {
    frames.push(frame);
    shared.socket = socket;
    if (frame.type === "chat.cancel") shared.end("cancelled");
  });
  const say = (type, data) => shared.socket.receive({ id: "of-another-page", type, data: { sessionId: "s", messageId: "msg_1", ...data } });
  shared.text = (seq, content) => say("chat.message_stream", { part: 0, first: seq, seq, content });
  shared.end = (stopReason, seq = 3) => say("chat.message_complete", { seq, stopReason, usage: USAGE });
  return shared;
}

test("a followed answer gives its tail, and its end the whole text", async () => {
  const proxy = elsewhere();
  const stream = chat().followMessage(HELD);
  const asked = await until(() => proxy.frames[0]);
  assert.deepEqual([asked.type, asked.data], ["chat.resume", { messageId: "msg_1", after: 2 }]);
  proxy.text(3, "rock");
  proxy.end("end_turn", 4);
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.deepEqual(chunks.map((chunk) => [chunk.type, chunk.content]), [["token", "rock"], ["done", "Bedrock"]]);
});

test("leaving the loop leaves the answer alone", async () => {
  const proxy = elsewhere();
  const client = chat();
  const stream = client.followMessage(HELD);
  await until(() => proxy.frames[0]);
  proxy.text(3, "rock");
  for await (const chunk of stream) {
    assert.equal(chunk.content, "rock");
    break;
  }
  await client.followMessage(HELD).return();
  assert.deepEqual(proxy.frames.filter((frame) => frame.type === "chat.cancel"), []);
});

test("aborting the signal stops it, before it was followed too", async () => {
  for (const early of [true, false]) {
    const proxy = elsewhere();
    const stop = new AbortController();
    if (early) stop.abort();
    const stream = chat().followMessage(HELD, { signal: stop.signal });
    if (!early) {
      await until(() => proxy.frames[0]);
      stop.abort();
    }
    await until(() => proxy.frames.some((frame) => frame.type === "chat.cancel"));
    assert.deepEqual(proxy.frames.at(-1).data, { messageId: "msg_1" });
    const { value } = await stream.next();
    assert.deepEqual([value.type, value.stopReason, value.content], ["done", "cancelled", "Bed"]);
  }
});
