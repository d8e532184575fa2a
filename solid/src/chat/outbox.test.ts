import { describe, expect, it } from "vitest";
import { chatError, counter, FakeClient, FakeClock, MemoryStorage, settled, USAGE } from "../test/fake-client.ts";
import { makeChat } from "./chat.ts";
import { makeOutbox, MAX_OUTBOX_BYTES, MAX_WAITING_MESSAGES, type WaitingMessage } from "./outbox.ts";
import { pageStorage } from "./storage.ts";

const KEY = "outcrop.outbox";
const AT = Date.UTC(2026, 10, 23, 12);

function message(number: number, more: Partial<WaitingMessage> = {}): WaitingMessage {
  return { id: `k${number}`, sessionId: `s${number}`, text: `Message ${number}`, at: AT, ...more };
}

function setUp(storage = new MemoryStorage()) {
  return { storage, outbox: makeOutbox(pageStorage(storage)) };
}

describe("the outbox", () => {
  it("gives another page what was put in and not removed", () => {
    const { storage, outbox } = setUp();
    const second = message(2, { model: "haiku", text: "Grüße 🙂 \ud83d" });
    outbox.put(message(1));
    outbox.put(second);
    outbox.remove("k1");
    outbox.remove("unknown");
    expect(setUp(storage).outbox.waiting()).toEqual([second]);
  });

  it("keeps one message of a conversation, the latest", () => {
    const { outbox } = setUp();
    outbox.put(message(1));
    outbox.put(message(2, { sessionId: "s1" }));
    expect(outbox.waiting().map(({ id }) => id)).toEqual(["k2"]);
  });

  it("has room for so many, and what it has promised to keep stays", () => {
    const { outbox } = setUp();
    for (let number = 1; number <= MAX_WAITING_MESSAGES + 1; number += 1) outbox.put(message(number));
    expect(outbox.waiting().map(({ id }) => id)).toEqual(Array.from({ length: MAX_WAITING_MESSAGES }, (_, index) => `k${index + 1}`));
  });

  it("has room for so much", () => {
    const { storage, outbox } = setUp();
    outbox.put(message(1));
    outbox.put(message(2, { text: "x".repeat(MAX_OUTBOX_BYTES / 2) }));
    expect(outbox.waiting()).toEqual([message(1)]);
    outbox.put(message(3, { text: "x".repeat(MAX_OUTBOX_BYTES / 2 - 500) }));
    expect(outbox.waiting().map(({ id }) => id)).toEqual(["k1", "k3"]);
    expect((storage.values.get(KEY) ?? "").length * 2).toBeLessThanOrEqual(MAX_OUTBOX_BYTES);
  });

  it.each([
    "", "null", "{", "7", '"text"', "{}", "[null, 1, [], {}]",
    JSON.stringify([{ ...message(1), id: "" }, { ...message(1), id: "a b" }, { ...message(1), id: 1 }, { ...message(1), sessionId: "ä" }]),
    JSON.stringify([{ ...message(1), text: " " }, { ...message(1), text: 1 }, { ...message(1), model: "" }, { ...message(1), model: null }]),
    JSON.stringify([{ ...message(1), systemPrompt: "" }, { ...message(1), systemPrompt: ["x"] }, { ...message(1), whole: false }, { ...message(1), whole: "yes" }]),
    JSON.stringify([{ ...message(1), at: "now" }, { ...message(1), at: 1e30 }, { ...message(1), at: undefined }]),
    `[${" ".repeat(MAX_OUTBOX_BYTES / 2)}]`,
  ])("takes nothing for a message that is none (%#)", (text) => {
    const { storage, outbox } = setUp();
    storage.values.set(KEY, text);
    expect(outbox.waiting()).toEqual([]);
    outbox.put(message(2));
    expect(outbox.waiting()).toEqual([message(2)]);
  });

  it("takes what is a message among what is not, and of too many the last", () => {
    const { storage, outbox } = setUp();
    storage.values.set(KEY, JSON.stringify([null, message(0), "x", ...Array.from({ length: MAX_WAITING_MESSAGES }, (_, index) => message(index + 1))]));
    expect(outbox.waiting().map(({ id }) => id)).toEqual(Array.from({ length: MAX_WAITING_MESSAGES }, (_, index) => `k${index + 1}`));
  });

  it("is empty where storage refuses, or there is none", () => {
    const refuses = () => {
      throw new DOMException("no", "QuotaExceededError");
    };
    for (const storage of [{ getItem: refuses, setItem: refuses }, null]) {
      const outbox = makeOutbox(pageStorage(storage));
      outbox.put(message(1));
      outbox.remove("k1");
      expect(outbox.waiting()).toEqual([]);
    }
  });
});

describe("a message", () => {
  function chatWith(storage: MemoryStorage, prefix: string, prepare: (client: FakeClient) => void = () => {}) {
    const client = new FakeClient();
    prepare(client);
    const { outbox } = setUp(storage);
    const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter(prefix), outbox });
    return { client, chat, ids: () => outbox.waiting().map(({ id }) => id) };
  }

  it("waits from the moment it is sent until the proxy has named its answer", async () => {
    const { client, chat, ids } = chatWith(new MemoryStorage(), "k");
    chat.send("Hello");
    expect(ids()).toEqual([client.lastStream.request.id]);
    await client.lastStream.give({ type: "status", state: "queued", messageId: "m1" });
    expect(ids()).toEqual([]);
  });

  it.each<[string, (client: FakeClient) => Promise<void>]>([
    ["is whole", (client) => client.lastStream.done("Hi")],
    ["fails", (client) => client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true }))],
    ["breaks off", (client) => client.lastStream.end()],
  ])("waits no longer when its answer %s", async (_, end) => {
    const { client, chat, ids } = chatWith(new MemoryStorage(), "k");
    chat.send("Hello");
    await end(client);
    expect(ids()).toEqual([]);
  });

  it.each(["closed", "load_failed"])("waits for the next page where this one's client has ended: %s", async (code) => {
    const { client, chat, ids } = chatWith(new MemoryStorage(), "k");
    chat.send("Hello");
    await client.lastStream.fail(chatError(code, "Reload the page."));
    expect(chat.state().messages[1]).toMatchObject({ phase: "failed" });
    expect(ids()).toHaveLength(1);
  });

  it("that is stopped waits no longer, at once", () => {
    const { chat, ids } = chatWith(new MemoryStorage(), "k");
    chat.send("Hello");
    chat.stop();
    expect(ids()).toEqual([]);
  });

  it("that is asked again is another message", async () => {
    const { client, chat, ids } = chatWith(new MemoryStorage(), "k");
    chat.send("Hello");
    await client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true }));
    chat.retry();
    const [first, second] = client.streams.map((stream) => stream.request.id);
    expect(second).not.toBe(first);
    expect(ids()).toEqual([second]);
  });

  it("is sent again by the next page under its id, and shown once", async () => {
    const storage = new MemoryStorage();
    const first = chatWith(storage, "a");
    first.chat.send("Hello");
    const { client, chat, ids } = chatWith(storage, "b", (next) => next.histories.set("s1", chatError("session_not_found", "No.")));
    expect(client.streams.map((stream) => stream.request)).toEqual([{ ...first.client.lastStream.request, resent: true }]);
    await chat.loadHistory();
    expect(chat.state()).toMatchObject({ messages: [{ text: "Hello", at: AT }, { phase: "sent", key: ids()[0] }], history: { phase: "loaded" } });
    expect(chat.send("another")).toBe(false);
    await client.lastStream.done("Hi");
    expect(chat.state().messages).toMatchObject([{ text: "Hello" }, { text: "Hi", phase: "complete", usage: USAGE }]);
    expect(ids()).toEqual([]);
    await settled();
    expect(chatWith(storage, "c").client.streams).toEqual([]);
  });

  it("that the next page stops is not sent by the one after", () => {
    const storage = new MemoryStorage();
    chatWith(storage, "a").chat.send("Hello");
    const next = chatWith(storage, "b");
    next.chat.stop();
    expect(next.client.lastStream.signal?.aborted).toBe(true);
    expect(chatWith(storage, "c").client.streams).toEqual([]);
  });
});
