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

  it("gathers reasoning apart, and tool calls by their id", async () => {
    const { client, chat } = setUp();
    const call = { toolUseId: "t1", name: "clock", input: {}, status: "running" } as const;
    chat.send("Hello");
    await client.lastStream.give({ type: "reasoning", content: "Hm", sessionId: "s1", messageId: "m1" });
    await client.lastStream.give({ type: "tool", call, messageId: "m1" }, { type: "tool", call: { ...call, status: "succeeded" }, messageId: "m1" });
    expect(chat.state().messages[1]).toMatchObject({ text: "", reasoning: "Hm", tools: [{ toolUseId: "t1", status: "succeeded" }] });
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

describe("history", () => {
  const at = "2026-11-23T12:00:00.000Z";

  it("comes page by page, the older before the newer", async () => {
    const { client, chat } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: true, messages: [{ messageId: "m3", role: "user", content: "Three", timestamp: at }] });
    client.histories.set("m3", { sessionId: "s1", hasMore: false, messages: [{ messageId: "m1", role: "user", content: "One", timestamp: at }, { messageId: "m2", role: "assistant", content: "Two", timestamp: at, usage: USAGE, stopReason: "end_turn" }] });
    await chat.loadHistory();
    expect(chat.state().history).toEqual({ phase: "loaded", hasMore: true });
    await chat.loadHistory();
    expect(chat.state().messages.map((message) => message.text)).toEqual(["One", "Two", "Three"]);
    expect(chat.state().history.hasMore).toBe(false);
  });

  it("shows stopped and failed answers as such, and follows one that is under way", async () => {
    const { client, chat } = setUp();
    const message = (messageId: string) => ({ messageId, role: "assistant", content: messageId, timestamp: at }) as const;
    client.histories.set("s1", {
      sessionId: "s1",
      hasMore: false,
      messages: [
        { ...message("a"), stopReason: "cancelled" },
        { ...message("b"), error: { code: "interrupted", message: "It was cut.", retryable: true, retryAfterMs: 9_000 } },
        { ...message("c"), parts: [{ type: "reasoning", text: "Hm" }, { type: "text", text: "c" }] },
      ],
      inProgress: { message: message("d"), seq: 4 },
    });
    await chat.loadHistory();
    expect(chat.state().messages.map((m) => m.role === "assistant" && m.phase)).toEqual(["stopped", "failed", "complete", "streaming"]);
    expect(chat.state().messages[2]).toMatchObject({ reasoning: "Hm" });
    expect(chat.state().messages[1]).not.toHaveProperty("failure.retryAt");
    expect(client.followed).toEqual([4]);
    await client.lastStream.token(" goes on");
    expect(chat.state().messages[3]).toMatchObject({ text: "d goes on", phase: "streaming" });
    await client.lastStream.done("d goes on");
    expect(chat.state().messages[3]).toMatchObject({ text: "d goes on", phase: "complete", usage: USAGE });
    expect(chat.state().turn).toBeUndefined();
  });

  it("has an answer under way that is stopped from here, and only left when the page goes", async () => {
    for (const leaves of [true, false]) {
      const { client, chat } = setUp();
      client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [], inProgress: { message: { messageId: "d", role: "assistant", content: "d", timestamp: at }, seq: 4 } });
      await chat.loadHistory();
      if (leaves) chat.dispose();
      else chat.stop();
      expect([client.lastStream.left, client.lastStream.signal?.aborted]).toEqual([leaves, !leaves]);
    }
  });

  it("holds what was asked on this page once, wherever the answer stands", async () => {
    const question = { messageId: "q", role: "user", content: "Hello", timestamp: at } as const;
    const answer = { messageId: "m1", role: "assistant", content: "Good day", timestamp: at, usage: USAGE, stopReason: "end_turn" } as const;
    const earlier = [{ ...question, messageId: "q0" }, { ...answer, messageId: "m0" }];
    const pages = {
      "not stored": { messages: earlier },
      "question alone": { messages: [...earlier, question] },
      "in progress": { messages: [...earlier, question], inProgress: { message: { ...answer, content: "Good" }, seq: 1 } },
      "stored": { messages: [...earlier, question, answer] },
    };
    for (const [name, page] of Object.entries(pages)) {
      for (const isNamedFirst of [true, false]) {
        const { client, chat } = setUp();
        client.histories.set("s1", { sessionId: "s1", hasMore: false, ...page });
        chat.send("Hello");
        if (isNamedFirst) await client.lastStream.token("Good ");
        const loaded = chat.loadHistory();
        await settled();
        const texts = () => chat.state().messages.map((message) => message.text);
        expect(texts().filter((text) => text === "Hello"), name).toHaveLength(isNamedFirst ? 2 : 1);
        if (!isNamedFirst) await client.lastStream.token("Good ");
        await loaded;
        expect(texts(), name).toEqual(["Hello", "Good day", "Hello", "Good "]);
        await client.lastStream.done("Good day");
        expect(texts(), name).toEqual(["Hello", "Good day", "Hello", "Good day"]);
        expect(client.followed).toEqual([]);
      }
    }
  });

  it("does not wait for an answer that it cannot hold", async () => {
    const { client, chat } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ messageId: "q0", role: "user", content: "One", timestamp: at }, { messageId: "m0", role: "assistant", content: "1", timestamp: at }, { messageId: "q", role: "user", content: "Two", timestamp: at }] });
    chat.send("Two");
    await chat.loadHistory();
    expect(chat.state().messages.map((message) => message.text)).toEqual(["One", "1", "Two", ""]);
  });

  it("that fails can be asked for again", async () => {
    const { client, chat } = setUp();
    client.histories.set("s1", chatError("upstream_unavailable", "Not now.", { retryable: true }));
    await chat.loadHistory();
    expect(chat.state().history).toMatchObject({ phase: "failed", failure: { message: "Not now." } });
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [] });
    await chat.loadHistory();
    expect(chat.state().history.phase).toBe("loaded");
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
