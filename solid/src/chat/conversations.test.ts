import { beforeEach, describe, expect, it } from "vitest";
import { chatError, counter, FakeClient, FakeClock, HELLO, MemoryStorage, session, settled } from "../test/fake-client.ts";
import { forgetConversations, makeConversations } from "./conversations.ts";

beforeEach(() => localStorage.clear());

function setUp(more: { storage?: MemoryStorage; prefix?: string; prepare?: (client: FakeClient) => void } = {}) {
  const client = new FakeClient();
  more.prepare?.(client);
  const clock = new FakeClock();
  const storage = more.storage ?? new MemoryStorage();
  const conversations = makeConversations({ client, clock: clock.read, newId: counter(more.prefix ?? "s"), storage });
  return { client, clock, storage, conversations };
}

describe("conversations", () => {
  it("are unknown to the proxy before their first message", async () => {
    const { client, conversations } = setUp();
    client.open();
    await settled();
    expect(conversations.current().sessionId).toBe("s1");
    expect(client.streams).toHaveLength(0);
    expect(client.listed).toEqual([undefined]);
  });

  it("are had at once where the client is connected already", async () => {
    const { client, conversations } = setUp({ prepare: (client) => client.open() });
    await settled();
    expect(conversations.connection().state).toBe("open");
    expect([client.listed.length, client.queries.length]).toEqual([1, 1]);
  });

  it("go on answering while another one is open", async () => {
    const { client, conversations } = setUp();
    client.histories.set("other", { sessionId: "other", hasMore: false, messages: [] });
    const first = conversations.current();
    first.send("Hello");
    conversations.open("other");
    await client.streams[0]?.token("Good day");
    expect(conversations.current().sessionId).toBe("other");
    conversations.open("s1");
    expect(conversations.current()).toBe(first);
    expect(first.state().messages[1]).toMatchObject({ text: "Good day" });
  });

  it("leave one empty conversation when several are begun", () => {
    const { conversations } = setUp();
    const first = conversations.current();
    conversations.startNew();
    expect(conversations.current()).toBe(first);
    first.send("Hello");
    conversations.startNew();
    expect(conversations.current().sessionId).toBe("s2");
  });

  it("open again after the page was loaded anew, unless the proxy has forgotten them", async () => {
    const storage = new MemoryStorage();
    const before = setUp({ storage });
    before.conversations.current().send("Hello");
    await before.client.lastStream.token("Hi");
    const at = "2026-11-23T12:00:00.000Z";
    const known = setUp({ storage, prepare: (client) => client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ messageId: "m", role: "user", content: "Hello", timestamp: at }] }) });
    await settled();
    expect(known.conversations.current().state().messages.map((message) => message.text)).toEqual(["Hello"]);

    const forgotten = setUp({ storage, prefix: "fresh" });
    await settled();
    expect(forgotten.conversations.current().state()).toMatchObject({ sessionId: "fresh1", messages: [], history: { phase: "idle" } });
  });

  it("send again what waited when the page was loaded anew, the open one and the others", async () => {
    const storage = new MemoryStorage();
    const before = setUp({ storage });
    before.conversations.current().send("One");
    before.conversations.startNew();
    before.conversations.current().send("Two");
    before.conversations.open("s1");
    const { client, conversations } = setUp({ storage, prefix: "fresh" });
    await settled();
    expect(client.streams.map(({ request }) => request).reverse()).toEqual(before.client.streams.map(({ request }) => ({ ...request, resent: true })));
    expect(conversations.current()).toMatchObject({ sessionId: "s1" });
    expect(conversations.current().state()).toMatchObject({ messages: [{ text: "One" }, { phase: "sent" }], history: { phase: "loaded" } });
    await client.streams[0]?.done("Zwei");
    conversations.open("s2");
    expect(conversations.current().state().messages.map((message) => message.text)).toEqual(["Two", "Zwei"]);
    expect(conversations.answers(), "what this page did not see begin has no times").toEqual([]);
  });

  it("are listed as soon as the proxy has what waited", async () => {
    const storage = new MemoryStorage();
    setUp({ storage }).conversations.current().send("One");
    const { client } = setUp({ storage });
    client.open();
    await settled();
    await client.lastStream.token("a");
    expect(client.listed).toHaveLength(2);
  });

  it("send what waited even where the open one is another", () => {
    const storage = new MemoryStorage();
    const before = setUp({ storage });
    before.conversations.current().send("One");
    before.conversations.startNew();
    const { client, conversations } = setUp({ storage, prefix: "fresh" });
    expect(client.lastStream.request).toMatchObject({ sessionId: "s1", message: "One" });
    expect(conversations.current()).toMatchObject({ sessionId: "fresh1" });
    expect(conversations.current().state().messages).toEqual([]);
  });

  it("work where storage refuses", () => {
    const refuses = () => {
      throw new DOMException("no", "QuotaExceededError");
    };
    const client = new FakeClient();
    const conversations = makeConversations({ client, newId: counter("s"), storage: { getItem: refuses, setItem: refuses } });
    expect(conversations.current().send("Hello")).toBe(true);
    expect(client.streams).toHaveLength(1);
    conversations.startNew();
    expect(conversations.current().sessionId).toBe("s2");
  });

  it("give way to an empty one when deleted, with the answer under way stopped", async () => {
    const { client, conversations } = setUp({ prepare: (client) => (client.sessions = [session("s1")]) });
    client.open();
    await settled();
    conversations.current().send("Hello");
    expect(await conversations.remove("s1")).toBe(true);
    expect(client.streams[0]?.signal?.aborted).toBe(true);
    expect(conversations.current().sessionId).toBe("s2");
    expect(conversations.sessions.state().items).toEqual([]);
  });

  it("stay when the proxy refuses to delete them", async () => {
    const { client, conversations } = setUp({ prepare: (client) => (client.sessions = [session("s1")]) });
    client.open();
    await settled();
    client.refusal = chatError("forbidden", "Not yours.");
    expect(await conversations.remove("s1")).toBe(false);
    expect(conversations.current().sessionId).toBe("s1");
    expect(conversations.sessions.state()).toMatchObject({ phase: "failed", failure: { message: "Not yours." }, items: [{ sessionId: "s1" }] });
  });

  it("are listed page by page and keep a new title", async () => {
    const { client, conversations } = setUp({
      prepare: (client) => {
        client.sessions = ["a", "b", "c"].map((id) => session(id));
        client.pageSize = 2;
      },
    });
    client.open();
    await settled();
    await conversations.sessions.loadMore();
    await conversations.sessions.loadMore();
    expect(client.listed).toEqual([undefined, "b"]);
    expect(await conversations.sessions.rename("c", "Third")).toBe(true);
    expect(conversations.sessions.state().items.map((item) => item.title)).toEqual(["About a", "About b", "Third"]);
  });

  it("that were loaded beyond the first page stay when it is loaded anew, and those that are gone do not", async () => {
    const { client, conversations } = setUp();
    const at = (hour: number) => ({ updatedAt: `2026-11-23T${hour}:00:00.000Z` });
    client.sessions = [session("a", at(19)), session("b", at(18)), session("c", at(17)), session("d", at(16)), session("e", at(15))];
    client.pageSize = 2;
    await conversations.sessions.refresh();
    await conversations.sessions.loadMore();
    client.sessions = [session("new", at(20)), ...client.sessions.filter(({ sessionId }) => sessionId !== "a")];
    await conversations.sessions.refresh();
    const list = () => conversations.sessions.state();
    expect(list().items.map((item) => item.sessionId).join(" ")).toBe("new b c d");
    expect(list().hasMore).toBe(true);
    await conversations.sessions.loadMore();
    expect(list().items.map((item) => item.sessionId).join(" ")).toBe("new b c d e");
    expect(list().hasMore).toBe(false);
  });

  it("ask the list again when an answer has ended", async () => {
    const { client, conversations } = setUp();
    client.open();
    await settled();
    conversations.current().send("Hello");
    client.sessions = [session("s1")];
    await client.lastStream.token("a");
    expect(conversations.sessions.state().items).toHaveLength(1);
    await client.lastStream.done("a");
    expect(client.listed).toHaveLength(3);
  });
});

it("a list that fails is not asked for again with every token", async () => {
  const { client, clock, conversations } = setUp();
  client.refusal = chatError("internal", "Not now.");
  client.open();
  await settled();
  conversations.current().send("Hello");
  for (let token = 0; token < 20; token += 1) {
    clock.now += 10;
    await client.lastStream.token("a");
  }
  expect(client.listed).toHaveLength(2);
});

describe("the model", () => {
  it("is the chosen one, else the conversation's, else the proxy's", async () => {
    const { client, conversations } = setUp({ prepare: (client) => (client.sessions = [session("mine", { model: "haiku" })]) });
    client.histories.set("mine", { sessionId: "mine", hasMore: false, messages: [] });
    client.open();
    await settled();
    expect(conversations.effectiveModel()).toBe("anthropic.claude-3-5-sonnet-20241022-v2:0");
    conversations.open("mine");
    expect(conversations.effectiveModel()).toBe("haiku");
    const other = HELLO.models[1]?.model as string;
    conversations.settings.setModel(other);
    expect(conversations.effectiveModel()).toBe(other);
    conversations.settings.setModel("no longer offered");
    expect(conversations.effectiveModel()).toBe("haiku");
  });
});

describe("what a person wants", () => {
  it("goes with the messages of every conversation, also before the proxy has said what it takes", () => {
    const { client, conversations } = setUp();
    conversations.settings.setModel("opus");
    conversations.settings.setSystemPrompt(" Be brief.\n");
    conversations.current().send("Hello");
    expect(client.lastStream.request).toMatchObject({ model: "opus", systemPrompt: "Be brief." });
    client.open({ limits: { ...HELLO.limits, maxSystemPromptChars: 100 } });
    conversations.startNew();
    conversations.settings.setStreaming(false);
    conversations.current().send("Hello");
    expect(client.lastWhole.request).toEqual({ id: expect.any(String), resent: false, sessionId: expect.any(String), message: "Hello", systemPrompt: "Be brief." });
  });

  it.each([{}, { maxSystemPromptChars: 0 }])("is not told a proxy that takes no instructions: %j", (more) => {
    const { client, conversations } = setUp();
    conversations.settings.setSystemPrompt("Be brief.");
    client.open({ limits: { ...HELLO.limits, ...more } });
    conversations.current().send("Hello");
    expect(client.lastStream.request).not.toHaveProperty("systemPrompt");
  });

  it("is kept by the browser, and forgotten when somebody signs out", () => {
    const storage = new MemoryStorage();
    const again = () => setUp({ storage }).conversations.settings;
    again().setSystemPrompt("I am Ann.");
    expect(again().systemPrompt()).toBe("I am Ann.");
    forgetConversations(storage);
    expect(again().systemPrompt()).toBe("");
  });
});

describe("all conversations", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => session(`n${index}`));

  it("are loaded in large pages, once at a time", async () => {
    const { client, conversations } = setUp({ prepare: (client) => Object.assign(client, { pageSize: 100, sessions: many(250) }) });
    client.open();
    await settled();
    const { sessions } = conversations;
    const done = sessions.loadAll();
    expect(sessions.isLoadingAll()).toBe(true);
    await Promise.all([done, sessions.loadAll()]);
    expect(sessions.isLoadingAll()).toBe(false);
    expect(sessions.state()).toMatchObject({ hasMore: false, phase: "loaded" });
    expect(sessions.state().items.map(({ sessionId }) => sessionId)).toEqual(client.sessions.map(({ sessionId }) => sessionId));
    expect(client.listed).toEqual([undefined, "n29", "n129", "n229"]);
    await sessions.loadAll();
    expect(client.listed).toHaveLength(4);
  });

  it("are no more than a thousand", async () => {
    const { client, conversations } = setUp({ prepare: (client) => Object.assign(client, { pageSize: 100, sessions: many(1_200) }) });
    client.open();
    await conversations.sessions.loadAll();
    await settled();
    await conversations.sessions.loadAll();
    expect(conversations.sessions.state().items).toHaveLength(1_000);
    expect(conversations.sessions.state().hasMore).toBe(true);
    const asked = client.listed.length;
    await conversations.sessions.loadAll();
    expect(client.listed).toHaveLength(asked);
  });

  it("are not asked for without end where a proxy gives the same ones again", async () => {
    const { client, conversations } = setUp({ prepare: (client) => (client.sessions = many(40)) });
    client.open();
    await settled();
    client.listSessions = async ({ before } = {}) => (client.listed.push(before), { sessions: many(10), hasMore: true });
    await conversations.sessions.loadAll();
    expect(client.listed).toEqual([undefined, "n29"]);
  });

  it("say why where they do not come, and come when they are asked for again", async () => {
    const { client, conversations } = setUp({ prepare: (client) => (client.sessions = many(40)) });
    client.open();
    await settled();
    client.refusal = chatError("overloaded", "Wait.");
    await conversations.sessions.loadAll();
    expect(conversations.sessions.state()).toMatchObject({ failure: { message: "Wait." }, hasMore: true });
    expect(conversations.sessions.isLoadingAll()).toBe(false);
    client.refusal = undefined;
    await conversations.sessions.loadAll();
    expect(conversations.sessions.state().items).toHaveLength(40);
    expect(conversations.sessions.state().failure).toBeUndefined();
  });
});

describe("the connection", () => {
  it("keeps the proxy's greeting while it is away and says when it tries again", () => {
    const { client, clock, conversations } = setUp();
    client.become({ state: "connecting" });
    clock.now += 40;
    client.open();
    expect(conversations.connection()).toMatchObject({ state: "open", connectMs: 40 });
    client.become({ state: "reconnecting", attempt: 1, retryInMs: 500, reason: "the socket closed" });
    expect(conversations.connection()).toMatchObject({ state: "reconnecting", retryAt: clock.now + 500, reason: "the socket closed" });
    expect(conversations.server()?.version).toBe(1);
    client.open();
    expect(conversations.connection()).not.toHaveProperty("retryAt");
  });
});

describe("the log of answers", () => {
  it("has each answer's times, outcome and usage", async () => {
    const { client, clock, conversations } = setUp();
    client.open();
    const chat = conversations.current();
    chat.send("one");
    clock.now += 300;
    await client.lastStream.token("a");
    clock.now += 700;
    await client.lastStream.done("a");
    chat.send("two");
    await client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true }));
    expect(conversations.answers()).toMatchObject([
      { outcome: "complete", firstTokenMs: 300, durationMs: 1_000, usage: { outputTokens: 150 }, model: "anthropic.claude-3-5-sonnet-20241022-v2:0" },
      { outcome: "failed", durationMs: 0 },
    ]);
    expect(conversations.answers()[1]).not.toHaveProperty("firstTokenMs");
  });
});
