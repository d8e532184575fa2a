// What a client that is used for long keeps: after the last thousands of anything no more than after the first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { serve, Turn, USAGE } from "./fake-server.mjs";
import { chat, memory } from "./harness.mjs";

const COUNT = 10_000;
const CHECKED_EVERY = 1_000;

/** Less than 80 bytes for each of what came between: nothing is kept of it. What moves is the engine's own, such as compiled code. */
const MAX_HEAP_GROWTH_BYTES = 512 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

async function used() {
  collect();
  // What is finalised is freed by the next collection.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return { heap: process.memoryUsage().heapUsed, wasm: memory.buffer.byteLength };
}

/** Does `work` ten thousand times, and compares the least that is in use after each of the first and of the last three thousand. */
async function staysWithin(t, work) {
  const points = [];
  for (let at = 1; at <= COUNT; at += 1) {
    await work(at);
    if (at % CHECKED_EVERY === 0) points.push(await used());
  }
  const [first, last] = [points.slice(0, 3), points.slice(-3)].map((some) => Math.min(...some.map(({ heap }) => heap)));
  t.diagnostic(`heap ${last - first} bytes more, module ${points[0].wasm} bytes`);
  assert.equal(points.at(-1).wasm, points[0].wasm);
  assert.ok(last - first < MAX_HEAP_GROWTH_BYTES, `the heap: ${points.map(({ heap }) => heap).join(", ")}`);
}

/** A proxy that remembers nothing itself, and answers a message with `answer(turn)`. */
function forgetful(answer) {
  serve((frame, socket) => {
    socket.sent.length = 0;
    answer(frame, socket);
  });
  return chat();
}

test("ten thousand whole answers, each in a session of its own, leave nothing behind", async (t) => {
  const message = { messageId: "msg_1", content: "Hello!", role: "assistant", timestamp: "2026-11-23T09:30:00.000Z", usage: USAGE, stopReason: "end_turn" };
  const client = forgetful(({ id, data }, socket) => {
    socket.receive({ id, type: "chat.message_response", data: { sessionId: data.sessionId, message } });
  });
  await staysWithin(t, () => client.sendMessage({ message: "Hello" }));
  assert.equal(client.usage().turns, COUNT);
});

test("ten thousand streamed answers leave nothing behind", async (t) => {
  const client = forgetful((frame, socket) => {
    const turn = new Turn(socket, frame, frame.id);
    turn.text("Hello!");
    turn.complete();
  });
  await staysWithin(t, async () => {
    let content;
    for await (const chunk of client.streamMessage({ message: "Hello" })) content = chunk.content;
    assert.equal(content, "Hello!");
  });
});

test("ten thousand answers that are stopped or fail leave nothing behind", async (t) => {
  let turn;
  const client = forgetful((frame, socket) => {
    if (frame.type === "chat.cancel") return turn.complete("cancelled");
    turn = new Turn(socket, frame, frame.id);
    turn.text("Hel");
    if (frame.data.message === "fail") turn.fail({ code: "throttled", message: "Too busy." });
  });
  await staysWithin(t, async (at) => {
    const until = async (type, message) => {
      for await (const chunk of client.streamMessage({ message })) if (chunk.type === type) return;
    };
    if (at % 2 === 0) await until("token", "leave");
    else await assert.rejects(until("done", "fail"), { code: "throttled" });
  });
});

test("ten thousand frames of one answer after the other leave nothing behind but their text", async (t) => {
  const FRAMES = 100;
  let turn;
  const client = forgetful((frame, socket) => (turn = new Turn(socket, frame, frame.id)));
  let stream;
  await staysWithin(t, async (at) => {
    if (at % FRAMES === 1) {
      stream = client.streamMessage({ message: "Hello" });
      await new Promise((resolve) => setImmediate(resolve));
    }
    turn.text(`token ${at} `);
    assert.equal((await stream.next()).value.content, `token ${at} `);
    if (at % FRAMES > 0) return;
    turn.complete();
    assert.equal((await stream.next()).value.type, "done");
  });
});
