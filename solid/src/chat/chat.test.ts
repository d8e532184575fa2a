import { createRoot } from "solid-js";
import { describe, expect, it } from "vitest";
import { chatError, counter, FakeClient, FakeClock, settled, USAGE } from "../test/fake-client.ts";
import { createChat, makeChat } from "./chat.ts";
import type { ChatEvent } from "./reduce.ts";
import type { ChatState } from "./state.ts";

function setUp(options: { model?: () => string | undefined } = {}) {
  const client = new FakeClient();
  const clock = new FakeClock();
  const states: ChatState[] = [];
  const events: ChatEvent["type"][] = [];
  const onEvent = (event: ChatEvent, state: ChatState) => {
    states.push(state);
    events.push(event.type);
  };
  const chat = makeChat({ client, sessionId: "s1", clock: clock.read, newKey: counter("k"), onEvent, ...options });
  return { client, clock, chat, states, events };
}

/** The answers through all states, as `phase:text`, each once. */
function history(states: ChatState[]): string[] {
  const lines = states.map(({ messages }) => messages.flatMap((m) => (m.role === "assistant" ? [`${m.phase}:${m.text}`] : [])).join(" | "));
  return lines.filter((line, index) => line !== lines[index - 1]);
}

describe("an answer", () => {
  it("grows by what comes and ends with its usage", async () => {
    const { client, clock, chat, states } = setUp();
    expect(chat.send("Hello")).toBe(true);
    clock.now += 100;
    await client.lastStream.token("Good ");
    clock.now += 50;
    await client.lastStream.token("day");
    await client.lastStream.done("Good day");
    expect(history(states)).toEqual(["sent:", "streaming:Good ", "streaming:Good day", "complete:Good day"]);
    const [question, answer] = chat.state().messages;
    expect(question).toMatchObject({ role: "user", text: "Hello" });
    expect(answer).toMatchObject({ usage: USAGE, messageId: "m1", stopReason: "end_turn" });
    expect(answer).toMatchObject({ timing: { firstAt: clock.now - 50, endedAt: clock.now, sentAt: clock.now - 150 } });
    expect(chat.state().turn).toBeUndefined();
    expect(client.lastStream.request).toEqual({ id: answer?.key, resent: false, sessionId: "s1", message: "Hello" });
  });

  it("leaves earlier states as they were", async () => {
    const { client, chat, states } = setUp();
    chat.send("Hello");
    await client.lastStream.token("a");
    const before = JSON.stringify(states);
    const kept = states.length;
    await client.lastStream.token("b");
    expect(JSON.stringify(states.slice(0, kept))).toBe(before);
  });

  it("keeps a stopped answer's text and receipt", async () => {
    const { client, chat, states } = setUp();
    chat.send("Hello");
    await client.lastStream.token("Good ");
    chat.stop();
    expect(client.lastStream.signal?.aborted).toBe(true);
    await client.lastStream.token("d");
    await client.lastStream.done("Good d", { stopReason: "cancelled" });
    expect(history(states)).toEqual(["sent:", "streaming:Good ", "stopping:Good ", "stopped:Good d"]);
    expect(chat.state().messages[1]).toMatchObject({ usage: USAGE, stopReason: "cancelled" });
  });

  it("that is stopped, here or elsewhere, leaves room for the next message at once", async () => {
    const { client, chat } = setUp();
    chat.send("one");
    const first = client.lastStream;
    await first.token("a");
    await first.give({ type: "status", state: "settling", messageId: "m1" });
    expect(chat.state().messages[1]).toMatchObject({ phase: "stopping", text: "a" });
    expect(chat.send("two")).toBe(true);
    await client.lastStream.token("b");
    await first.done("a", { stopReason: "cancelled" });
    expect(chat.state().messages[1]).toMatchObject({ phase: "stopped", usage: USAGE });
    expect(chat.state().messages[3]).toMatchObject({ phase: "streaming", text: "b" });
    expect(chat.state().turn).toBe(chat.state().messages[3]?.key);
  });

  it("is stopped without a receipt where none comes", async () => {
    const { client, chat, states } = setUp();
    chat.send("Hello");
    chat.stop();
    await client.lastStream.fail(chatError("aborted", "The request was aborted."));
    expect(history(states)).toEqual(["sent:", "stopping:", "stopped:"]);
    expect(chat.state().messages[1]).not.toHaveProperty("failure");
  });

  it("fails with the partial text kept, and is replaced by a retry", async () => {
    const { client, chat, states } = setUp();
    chat.send("Hello");
    await client.lastStream.token("Good ");
    await client.lastStream.fail(chatError("upstream_stream_error", "Bedrock broke off. Try again.", { retryable: true }));
    expect(chat.state().messages[1]).toMatchObject({ failure: { code: "upstream_stream_error", message: "Bedrock broke off. Try again.", retryable: true } });
    expect(chat.retry()).toBe(true);
    await client.lastStream.done("Good day");
    expect(history(states)).toEqual(["sent:", "streaming:Good ", "failed:Good ", "sent:", "complete:Good day"]);
    expect(client.streams.map((stream) => stream.request.message)).toEqual(["Hello", "Hello"]);
    expect(chat.state().messages.map((message) => message.role)).toEqual(["user", "assistant"]);
  });

  it("cannot be retried before its time, nor where that cannot help", async () => {
    const { client, clock, chat } = setUp();
    chat.send("Hello");
    await client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true, retryAfterMs: 3_000 }));
    clock.now += 2_999;
    expect(chat.retry()).toBe(false);
    clock.now += 1;
    expect(chat.retry()).toBe(true);
    await client.lastStream.fail(chatError("budget_exceeded", "No budget is left."));
    expect(chat.retry()).toBe(false);
  });

  it("that ends without its last event is interrupted", async () => {
    const { client, chat } = setUp();
    chat.send("Hello");
    await client.lastStream.token("Good ");
    await client.lastStream.end();
    expect(chat.state().messages[1]).toMatchObject({ phase: "failed", text: "Good ", failure: { code: "interrupted", retryable: true } });
  });

  it("says what it waits for until something comes", async () => {
    const { client, clock, chat } = setUp();
    chat.send("Hello");
    await client.lastStream.give({ type: "status", state: "retrying", retryInMs: 1_500, messageId: "m1" });
    expect(chat.state().messages[1]).toMatchObject({ phase: "sent", waiting: { state: "retrying", until: clock.now + 1_500 } });
    await client.lastStream.token("x");
    expect(chat.state().messages[1]).not.toHaveProperty("waiting");
  });
});

describe("sending", () => {
  it("is refused for blank text and while an answer is under way", async () => {
    const { client, chat } = setUp();
    expect(chat.send(" \n")).toBe(false);
    expect(chat.send("one")).toBe(true);
    expect(chat.send("two")).toBe(false);
    expect(client.streams).toHaveLength(1);
  });

  it("names a model only where one was chosen", async () => {
    const { client, chat } = setUp({ model: () => "haiku" });
    chat.send("one");
    expect(client.lastStream.request.model).toBe("haiku");
    expect(chat.state().messages[1]).toMatchObject({ model: "haiku" });
  });

  it("turns an error that is not the client's into a failure too", async () => {
    const { client, chat } = setUp();
    chat.send("one");
    await client.lastStream.fail(new TypeError("x is not a function"));
    expect(chat.state().messages[1]).toMatchObject({ failure: { code: "internal", message: "x is not a function" } });
  });
});

it("createChat ends with its owner: the answer is stopped and nothing more is shown", async () => {
  const client = new FakeClient();
  const [chat, end] = createRoot((dispose) => [createChat({ client, sessionId: "s1" }), dispose]);
  chat.send("Hello");
  end();
  expect(client.lastStream.signal?.aborted).toBe(true);
  const before = chat.state();
  await client.lastStream.done("late");
  await settled();
  expect(chat.state()).toBe(before);
  expect(chat.send("again")).toBe(false);
});
