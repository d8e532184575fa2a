import { describe, expect, it } from "vitest";
import type { HistoryResponse, Part } from "@outcrop/client";
import { chatError, counter, FakeClient, FakeClock, MemoryStorage, settled, USAGE } from "../test/fake-client.ts";
import { makeChat } from "./chat.ts";
import { makeOutbox } from "./outbox.ts";
import { pageStorage } from "./storage.ts";

const AT = "2026-11-23T12:00:00.000Z";

function setUp(streaming = false, storage = new MemoryStorage()) {
  const client = new FakeClient();
  const clock = new FakeClock();
  const outbox = makeOutbox(pageStorage(storage));
  const chat = makeChat({ client, sessionId: "s1", clock: clock.read, newKey: counter("k"), streaming: () => streaming, systemPrompt: () => "Be brief.", outbox });
  return { client, clock, chat, storage, last: () => chat.state().messages.at(-1) };
}

/** What the proxy has of the message that was sent first, and of its answer. */
function stored(answer: Partial<HistoryResponse["messages"][number]> | undefined, inProgress?: HistoryResponse["inProgress"]): HistoryResponse {
  const question = { messageId: "q1", role: "user" as const, content: "Hello", timestamp: AT, requestId: "k2" };
  const messages = [question, ...(answer === undefined ? [] : [{ messageId: "m1", role: "assistant" as const, content: "", timestamp: AT, ...answer }])];
  return { sessionId: "s1", hasMore: false, messages, ...(inProgress === undefined ? {} : { inProgress }) };
}

describe("an answer that comes whole", () => {
  it("is asked for as such, with the same wishes as a streamed one", () => {
    const { client, chat } = setUp();
    chat.send("Hello");
    expect(client.streams).toHaveLength(0);
    expect(client.lastWhole.request).toEqual({ id: "k2", resent: false, sessionId: "s1", message: "Hello", systemPrompt: "Be brief." });
    expect(chat.state()).toMatchObject({ turn: "k2", messages: [{ text: "Hello" }, { phase: "sent", text: "" }] });
  });

  it("ends as a streamed one does", async () => {
    const [whole, streamed] = [setUp(false), setUp(true)];
    for (const { chat, clock } of [whole, streamed]) {
      chat.send("Hello");
      clock.now += 100;
    }
    await whole.client.lastWhole.done("Good day");
    await streamed.client.lastStream.done("Good day");
    expect(whole.chat.state()).toEqual(streamed.chat.state());
    expect(whole.last()).toMatchObject({ phase: "complete", text: "Good day", usage: USAGE, stopReason: "end_turn", messageId: "m1", parts: [{ type: "text", text: "Good day" }] });
    expect(whole.chat.state().turn).toBeUndefined();
  });

  it("has its reasoning, calls and texts in order, of times that nobody has seen nothing", async () => {
    const { client, chat, last } = setUp();
    chat.send("Hello");
    const call = { toolUseId: "t", name: "weather", input: { city: "Oslo" }, status: "denied" as const };
    const parts: Part[] = [{ type: "reasoning", text: "Hm." }, { type: "text", text: "One." }, { type: "tool_use", ...call }, { type: "text", text: "Two." }];
    await client.lastWhole.done("One.Two.", { parts });
    expect(last()).toMatchObject({ text: "One.Two." });
    expect(last()).toHaveProperty("parts", [{ type: "reasoning", text: "Hm." }, { type: "text", text: "One." }, { type: "tool", call }, { type: "text", text: "Two." }]);
  });

  it("fails as a streamed one does, and can be asked for again", async () => {
    const { client, chat, last } = setUp();
    chat.send("Hello");
    await client.lastWhole.fail(chatError("throttled", "Busy.", { retryable: true }));
    expect(last()).toMatchObject({ phase: "failed", failure: { code: "throttled", message: "Busy." } });
    expect(chat.retry()).toBe(true);
    await client.lastWhole.done("Good day");
    expect(last()).toMatchObject({ phase: "complete", text: "Good day" });
  });

  it("that is stopped has what it used from the conversation", async () => {
    const { client, chat, last } = setUp();
    client.histories.set("s1", stored({ content: "Good", usage: USAGE, stopReason: "cancelled" }));
    chat.send("Hello");
    chat.stop();
    expect(client.lastWhole.signal?.aborted).toBe(true);
    expect(last()).toMatchObject({ phase: "stopping" });
    await settled();
    expect(last()).toMatchObject({ phase: "stopped", text: "Good", usage: USAGE, stopReason: "cancelled", messageId: "m1" });
  });

  it("that is stopped has what it used once that has been counted", async () => {
    const { client, chat, last } = setUp();
    const message = { messageId: "m1", role: "assistant" as const, content: "", timestamp: AT };
    client.histories.set("s1", stored(undefined, { message, seq: 3 }));
    chat.send("Hello");
    chat.stop();
    await settled();
    client.use({ turns: 1 });
    await settled();
    expect(last(), "that was another answer").toMatchObject({ phase: "stopping" });
    client.histories.set("s1", stored({ content: "", usage: USAGE, stopReason: "cancelled" }));
    await settled();
    expect(last()).toMatchObject({ phase: "stopping" });
    client.use({ turns: 2 });
    await settled();
    expect(last()).toMatchObject({ phase: "stopped", usage: USAGE });
    expect(client.listeners).toBe(0);
  });

  it.each(["closed", "open"] as const)("that is stopped is asked about again when the connection is %s", async (state) => {
    const { client, chat, last } = setUp();
    client.open();
    const message = { messageId: "m1", role: "assistant" as const, content: "", timestamp: AT };
    client.histories.set("s1", stored(undefined, { message, seq: 3 }));
    chat.send("Hello");
    chat.stop();
    await settled();
    client.histories.set("s1", chatError("closed", "The client was closed."));
    if (state === "open") client.open();
    else client.become({ state });
    await settled();
    expect(last()).toMatchObject({ phase: "stopped" });
    expect(last()).not.toHaveProperty("usage");
  });

  it("that is stopped before the proxy had it is stopped, and used nothing that is known", async () => {
    const { client, chat, last } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ messageId: "q0", role: "user", content: "Another", timestamp: AT, requestId: "other" }] });
    chat.send("Hello");
    chat.stop();
    await settled();
    expect(last()).toMatchObject({ phase: "stopped", text: "" });
    expect(last()).not.toHaveProperty("usage");
  });

  it("is asked for again in the same way by the page that is loaded anew, whatever is set there", async () => {
    const { chat, storage } = setUp(false);
    chat.send("Hello");
    const { client, last } = setUp(true, storage);
    expect(client.streams).toHaveLength(0);
    expect(client.lastWhole.request).toEqual({ id: "k2", resent: true, sessionId: "s1", message: "Hello", systemPrompt: "Be brief." });
    await client.lastWhole.done("Good day");
    expect(last()).toMatchObject({ phase: "complete", text: "Good day" });
    expect(makeOutbox(pageStorage(storage)).waiting()).toEqual([]);
  });
});
