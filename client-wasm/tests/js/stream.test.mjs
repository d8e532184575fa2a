import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, ChatError, until } from "./harness.mjs";
import { FakeWebSocket, serve, Turn, USAGE } from "./fake-server.mjs";

/** Serves one answer at a time and gives the test its turn. */
function turns() {
  const started = [];
  const frames = [];
  serve((frame, socket) => {
    frames.push(frame);
    if (frame.type === "chat.send_message") started.push(new Turn(socket, frame, `msg_${started.length + 1}`));
    if (frame.type === "chat.cancel") {
      const turn = started.find((turn) => [frame.data.messageId, frame.data.requestId].some((id) => id === turn.messageId || id === turn.request.id));
      turn.complete("cancelled");
    }
  });
  return { started, frames };
}

const texts = (chunks) => chunks.filter((chunk) => chunk.type === "token").map((chunk) => chunk.content);

test("a stream gives its text and ends with done", async () => {
  const { started } = turns();
  const stream = chat().streamMessage({ sessionId: "s", message: "hi" });
  const chunks = [];
  const reading = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  const turn = await until(() => started[0]);
  for (const text of ["Bed", "rock \"at\"", "\n😀"]) {
    turn.text(text);
    await until(() => texts(chunks).join("").endsWith(text));
  }
  turn.complete();
  await reading;
  assert.deepEqual(texts(chunks), ["Bed", "rock \"at\"", "\n😀"]);
  const usage = { ...USAGE };
  assert.deepEqual(chunks.at(-1), { type: "done", sessionId: "s", messageId: "msg_1", content: "Bedrock \"at\"\n😀", stopReason: "end_turn", usage });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("calls of next() that overlap are answered in their order", async () => {
  const { started } = turns();
  const stream = chat().streamMessage({ message: "hi" });
  const answers = Array.from({ length: 5 }, () => stream.next());
  const turn = await until(() => started[0]);
  turn.text("a");
  turn.text("b");
  turn.complete();
  const [first, second, third, fourth, fifth] = await Promise.all(answers);
  assert.deepEqual([first.value.content, second.value.content, third.value.type], ["a", "b", "done"]);
  assert.deepEqual([fourth.done, fifth.done], [true, true]);
});

test("text that nobody asks for waits, joined", async () => {
  const { started } = turns();
  const stream = chat().streamMessage({ message: "hi" });
  const turn = await until(() => started[0]);
  for (let n = 0; n < 100; n += 1) turn.text("x");
  assert.equal((await stream.next()).value.content, "x".repeat(100));
});

test("no text is lost where more waits than is kept outside the core", async () => {
  const { started } = turns();
  const stream = chat().streamMessage({ message: "hi" });
  const turn = await until(() => started[0]);
  const words = Array.from({ length: 5_000 }, (_, n) => (n % 7 === 0 ? `"${n}"\n` : ` wörd${n}`));
  for (const word of words) turn.text(word);
  turn.complete();
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(texts(chunks).join(""), words.join(""));
  assert.equal(chunks.at(-1).content, words.join(""));
});

test("two answers at a time do not mix", async () => {
  const { started } = turns();
  const client = chat();
  const streams = ["one", "two"].map((message) => client.streamMessage({ message }));
  await until(() => started.length === 2);
  const expected = ["", ""];
  for (let n = 0; n < 200; n += 1) {
    const at = Math.floor(n / 3) % 2;
    started[at].text(`${n} `);
    expected[at] += `${n} `;
  }
  for (const turn of started) turn.complete();
  for (const [at, stream] of streams.entries()) {
    let text = "";
    for await (const chunk of stream) if (chunk.type === "token") text += chunk.content;
    assert.equal(text, expected[at]);
  }
});

test("leaving the loop stops the answer", async () => {
  const { started, frames } = turns();
  const client = chat();
  const stream = client.streamMessage({ message: "hi" });
  (await until(() => started[0])).text("a");
  for await (const chunk of stream) {
    assert.equal(chunk.content, "a");
    break;
  }
  assert.deepEqual(frames.at(-1).data, { messageId: "msg_1" });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  assert.equal(client.usage().turns, 1, "what a stopped answer used is counted");
});

test("return() answers every next() that waits", async () => {
  turns();
  const stream = chat().streamMessage({ message: "hi" });
  const waiting = [stream.next(), stream.next()];
  assert.deepEqual(await stream.return("x"), { done: true, value: "x" });
  assert.deepEqual(await Promise.all(waiting), [{ done: true, value: undefined }, { done: true, value: undefined }]);
});

test("a stream left before it was sent is never sent", async () => {
  const { frames } = turns();
  const client = chat();
  await client.streamMessage({ message: "hi" }).return();
  await client.connect();
  assert.deepEqual(frames, []);
});

for (const when of ["before", "while it connects", "during", "after"]) {
  test(`aborting ${when} the answer ends the stream with what there is`, async () => {
    const { started, frames } = turns();
    const controller = new AbortController();
    if (when === "before") controller.abort();
    const stream = chat().streamMessage({ sessionId: "s", message: "hi" }, { signal: controller.signal });
    if (when === "while it connects") controller.abort();
    const chunks = [];
    if (when === "during" || when === "after") {
      const turn = await until(() => started[0]);
      turn.text("a");
      chunks.push((await stream.next()).value);
      if (when === "after") turn.complete();
      controller.abort();
    }
    for await (const chunk of stream) chunks.push(chunk);
    const done = chunks.at(-1);
    assert.equal(done.stopReason, when === "after" ? "end_turn" : "cancelled");
    assert.deepEqual(texts(chunks), when === "during" || when === "after" ? ["a"] : []);
    assert.equal(done.usage.totalTokens, started.length > 0 ? 200 : 0);
    assert.equal(frames.filter((frame) => frame.type === "chat.cancel").length, when === "during" ? 1 : 0);
  });
}

test("a failed answer gives its text and then throws a ChatError", async () => {
  const { started } = turns();
  const stream = chat().streamMessage({ message: "hi" });
  const turn = await until(() => started[0]);
  turn.text("Bed");
  turn.fail({ code: "throttled", message: "Too many requests.", retryAfterMs: 1500, usage: USAGE });
  const chunks = [];
  const error = await (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })().catch((error) => error);
  assert.deepEqual(texts(chunks), ["Bed"]);
  assert.ok(error instanceof ChatError && error instanceof Error);
  const { name, code, message, retryable, retryAfterMs, messageId, usage } = error;
  assert.deepEqual(
    { name, code, message, retryable, retryAfterMs, messageId, usage },
    { name: "ChatError", code: "throttled", message: "Too many requests.", retryable: true, retryAfterMs: 1500, messageId: "msg_1", usage: USAGE },
  );
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("by frames, the first text comes at once and the rest once a frame, joined", async (t) => {
  const callbacks = [];
  globalThis.requestAnimationFrame = (callback) => callbacks.push(callback);
  globalThis.cancelAnimationFrame = () => {};
  t.after(() => {
    delete globalThis.requestAnimationFrame;
    delete globalThis.cancelAnimationFrame;
  });
  const { started } = turns();
  const stream = chat({ delivery: "frame" }).streamMessage({ message: "hi" });
  const chunks = [];
  const reading = (async () => {
    for await (const chunk of stream) chunks.push(chunk);
  })();
  const turn = await until(() => started[0]);
  turn.text("a");
  await until(() => chunks.length === 1);
  assert.equal(callbacks.length, 0);
  for (const letter of "bcdef") turn.text(letter);
  assert.deepEqual([texts(chunks), callbacks.length], [["a"], 1]);
  callbacks[0]();
  await until(() => chunks.length === 2);
  assert.deepEqual(texts(chunks), ["a", "bcdef"]);
  turn.text("g");
  turn.complete();
  await reading;
  assert.deepEqual(texts(chunks), ["a", "bcdef", "g"], "the end waits for no frame");
  callbacks[1]?.();
});

test("where no frame is painted, a timer gives the text", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.requestAnimationFrame = () => 1;
  globalThis.cancelAnimationFrame = () => {};
  t.after(() => {
    delete globalThis.requestAnimationFrame;
    delete globalThis.cancelAnimationFrame;
  });
  const { started } = turns();
  const stream = chat({ delivery: "frame" }).streamMessage({ message: "hi" });
  const turn = await until(() => started[0]);
  turn.text("a");
  assert.equal((await stream.next()).value.content, "a");
  const next = stream.next();
  turn.text("b");
  t.mock.timers.tick(100);
  assert.equal((await next).value.content, "b");
});

test("an answer goes on after the connection was lost", async (t) => {
  let now = 1_000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const { started, frames } = turns();
  const stream = chat().streamMessage({ message: "hi" });
  const turn = await until(() => started[0]);
  turn.text("Bed");
  assert.equal((await stream.next()).value.content, "Bed");
  turn.socket.drop(1006);
  now += 500;
  t.mock.timers.tick(500);
  turn.socket = await until(() => FakeWebSocket.all[1]);
  const resume = await until(() => frames.find((frame) => frame.type === "chat.resume"));
  assert.deepEqual(resume.data, { messageId: "msg_1", after: 1 });
  turn.text("rock");
  turn.complete();
  assert.equal((await stream.next()).value.content, "rock");
  assert.equal((await stream.next()).value.content, "Bedrock");
});
