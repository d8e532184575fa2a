import { describe, expect, it } from "vitest";
import { chatError, counter, FakeClient, FakeClock, MemoryStorage, settled, USAGE } from "../test/fake-client.ts";
import { makeChat } from "./chat.ts";
import { conversationUsage } from "./gauge.ts";
import { makeOutbox } from "./outbox.ts";
import { pageStorage } from "./storage.ts";

const AT = "2026-11-23T12:00:00.000Z";
const stored = (messageId: string, role: "user" | "assistant", content: string, more = {}) => ({ messageId, role, content, timestamp: AT, ...more });
const HISTORY = [
  stored("q1", "user", "one", { requestId: "r1" }),
  stored("a1", "assistant", "First.", { usage: USAGE }),
  stored("q2", "user", "two", { requestId: "r2", attachments: [{ name: "note.txt", mediaType: "text/plain", bytes: 2 }] }),
  stored("a2", "assistant", "Second.", { usage: USAGE }),
];

async function setUp({ storage = new MemoryStorage(), prefix = "k", messages = HISTORY } = {}) {
  const client = new FakeClient();
  client.histories.set("s1", { sessionId: "s1", messages, hasMore: false });
  const outbox = makeOutbox(pageStorage(storage));
  const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter(prefix), outbox });
  await chat.loadHistory();
  const shown = () => chat.state().messages.map((message) => (message.role === "user" ? message.text : `${message.phase}:${message.text}`));
  return { client, chat, shown, storage };
}

const BEFORE = ["one", "complete:First.", "two", "complete:Second."];

describe("the last answer", () => {
  it("is asked for again and gives way, but for its cost", async () => {
    const { client, chat, shown } = await setUp();
    expect(chat.regenerate()).toBe(true);
    expect(shown()).toEqual(["one", "complete:First.", "two", "sent:"]);
    expect(client.lastStream.request).toMatchObject({ sessionId: "s1", messageId: "a2", resent: false });
    await client.lastStream.done("Another.");
    expect(shown()).toEqual(["one", "complete:First.", "two", "complete:Another."]);
    expect(conversationUsage(chat.state()).turns).toBe(3);
    expect(chat.state()).not.toHaveProperty("replacing");
  });

  it("comes back where the proxy refuses, with the reason, and where it is stopped before that", async () => {
    const { client, chat, shown } = await setUp();
    chat.regenerate();
    expect(conversationUsage(chat.state()).turns).toBe(2);
    await client.lastStream.fail(chatError("rate_limited", "Wait.", { retryable: true }));
    expect(shown()).toEqual(BEFORE);
    expect(chat.state()).toMatchObject({ refused: { failure: { code: "rate_limited" } } });
    chat.regenerate();
    expect(chat.state()).not.toHaveProperty("refused");
    chat.stop();
    await client.lastStream.give({ type: "done", sessionId: "s1", messageId: "", content: "", stopReason: "cancelled", usage: USAGE });
    expect(shown()).toEqual(BEFORE);
    chat.regenerate();
    chat.stop();
    await client.lastStream.fail(chatError("aborted", "Stopped."));
    expect(shown()).toEqual(BEFORE);
    expect(conversationUsage(chat.state()).turns).toBe(2);
  });

  it("is gone where the proxy has taken the request, though Bedrock fails", async () => {
    const { client, chat, shown } = await setUp();
    chat.regenerate();
    const taken = [...HISTORY.slice(0, 2), stored("q2", "user", "two", { requestId: client.lastStream.request.id })];
    client.histories.set("s1", { sessionId: "s1", messages: taken, hasMore: false });
    await client.lastStream.fail(Object.assign(chatError("throttled", "Wait.", { retryable: true }), { messageId: "a3" }));
    await settled();
    expect(shown()).toEqual(["one", "complete:First.", "two", "failed:"]);
    chat.retry();
    expect(client.lastStream.request).toMatchObject({ messageId: "a3" });
  });

  it("comes back where the proxy had named the new one and then refused it", async () => {
    const { client, chat, shown } = await setUp();
    chat.regenerate();
    await client.lastStream.fail(Object.assign(chatError("budget_exceeded", "Nothing is left."), { messageId: "a3" }));
    await settled();
    expect(shown()).toEqual(BEFORE);
    expect(chat.state()).toMatchObject({ refused: { failure: { code: "budget_exceeded" } } });
  });

  it.each(["invalid_request", "session_not_found"])("of which the proxy has nothing is asked for with its question: %s", async (code) => {
    const client = new FakeClient();
    const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter("k") });
    chat.send("one");
    await client.lastStream.fail(Object.assign(chatError("budget_exceeded", "Nothing is left.", { retryable: true }), { messageId: "a1" }));
    expect(chat.retry()).toBe(true);
    expect(client.lastStream.request).toMatchObject({ messageId: "a1" });
    await client.lastStream.fail(chatError(code, "There is no such answer."));
    await settled();
    expect(client.lastStream.request).toMatchObject({ message: "one" });
    await client.lastStream.done("First.");
    expect(chat.state().messages).toMatchObject([{ text: "one" }, { text: "First.", phase: "complete" }]);
  });

  it("that another tab has replaced meanwhile is not asked for with its question once more", async () => {
    const error = { code: "interrupted", message: "It was cut.", retryable: true } as const;
    const { client, chat } = await setUp({ messages: [stored("q1", "user", "one", { requestId: "r1" }), stored("a1", "assistant", "Fir", { error })] });
    client.histories.set("s1", { sessionId: "s1", messages: [stored("q1", "user", "one", { requestId: "other" }), stored("a9", "assistant", "First.")], hasMore: false });
    chat.retry();
    await client.lastStream.fail(chatError("invalid_request", "There is no such answer."));
    await settled();
    expect(client.streams).toHaveLength(1);
    expect(chat.state().messages[1]).toMatchObject({ text: "Fir", failure: { code: "invalid_request" } });
  });

  it("is not asked for again while an answer is under way, nor before a stop has been counted", async () => {
    const { client, chat } = await setUp();
    chat.send("three");
    expect(chat.regenerate()).toBe(false);
    await client.lastStream.token("Th");
    chat.stop();
    expect(chat.regenerate()).toBe(false);
    await client.lastStream.done("Th", { stopReason: "cancelled" });
    expect(chat.regenerate()).toBe(true);
  });

  it("that failed has failed for the new reason where asking again is refused", async () => {
    const error = { code: "interrupted", message: "It was cut.", retryable: true } as const;
    const { client, chat } = await setUp({ messages: [stored("q1", "user", "one"), stored("a1", "assistant", "Fir", { error })] });
    chat.retry();
    await client.lastStream.fail(chatError("rate_limited", "Wait.", { retryable: true, retryAfterMs: 1_000 }));
    expect(chat.state().messages[1]).toMatchObject({ text: "Fir", failure: { code: "rate_limited" } });
    expect(chat.state()).not.toHaveProperty("refused");
    expect(chat.retry()).toBe(false);
  });
});

describe("a question", () => {
  it("is changed: it and all after it give way", async () => {
    const { client, chat, shown } = await setUp();
    expect(await chat.replace("q1", "uno")).toBe(true);
    expect(shown()).toEqual(["uno", "sent:"]);
    expect(client.lastStream.request).toMatchObject({ message: "uno", replaces: "q1" });
    await client.lastStream.done("Primo.");
    expect(shown()).toEqual(["uno", "complete:Primo."]);
    expect(conversationUsage(chat.state()).turns).toBe(3);
  });

  it("that was asked on this page is found in the history by what it was asked under", async () => {
    const { client, chat, shown } = await setUp();
    chat.send("three");
    const asked = client.lastStream.request.id;
    await client.lastStream.done("Third.");
    client.histories.set("s1", { sessionId: "s1", messages: [...HISTORY, stored("q3", "user", "three", { requestId: asked }), stored("m1", "assistant", "Third.")], hasMore: false });
    expect(await chat.replace(chat.state().messages.at(-2)?.key ?? "", "3")).toBe(true);
    expect(client.lastStream.request).toMatchObject({ message: "3", replaces: "q3" });
    expect(shown()).toEqual([...BEFORE, "3", "sent:"]);
  });

  it("stays where it is not found, and where the history does not come: the page says why", async () => {
    const { client, chat, shown } = await setUp();
    chat.send("three");
    await client.lastStream.done("Third.");
    const key = chat.state().messages.at(-2)?.key ?? "";
    expect(await chat.replace(key, "3")).toBe(false);
    expect(chat.state().refused?.failure).toMatchObject({ fault: "question_gone" });
    client.histories.set("s1", chatError("overloaded", "Later."));
    expect(await chat.replace(key, "3")).toBe(false);
    expect(chat.state().refused?.failure).toMatchObject({ code: "overloaded" });
    expect(shown()).toEqual([...BEFORE, "three", "complete:Third."]);
  });

  it("comes back where the proxy refuses, and what was written with it", async () => {
    const { client, chat, shown } = await setUp();
    chat.draft.setText("a draft");
    const question = chat.state().messages[0];
    if (question?.role === "user") chat.draft.edit(question);
    chat.draft.setText("uno");
    await chat.replace("q1", chat.draft.text());
    expect([chat.draft.text(), chat.draft.editing()]).toEqual(["a draft", undefined]);
    await client.lastStream.fail(chatError("budget_exceeded", "Nothing is left."));
    expect(shown()).toEqual(BEFORE);
    const { refused } = chat.state();
    expect(refused).toMatchObject({ failure: { code: "budget_exceeded" }, question: { key: "q1", text: "uno" } });
    if (refused?.question) chat.draft.edit(refused.question);
    expect([chat.draft.text(), chat.draft.editing()]).toEqual(["uno", "q1"]);
    chat.draft.cancelEdit();
    expect(chat.draft.text()).toBe("a draft");
    await chat.replace("q1", "uno");
    chat.stop();
    await client.lastStream.fail(chatError("aborted", "Stopped."));
    expect(chat.state().refused).toMatchObject({ failure: { fault: "change_stopped" }, question: { text: "uno" } });
  });

  it("is not sent where the person gives the change up while its id is looked for", async () => {
    const { client, chat } = await setUp({ messages: [] });
    chat.send("three");
    const asked = client.lastStream.request.id;
    await client.lastStream.done("Third.");
    client.histories.set("s1", { sessionId: "s1", messages: [stored("q3", "user", "three", { requestId: asked })], hasMore: false });
    chat.draft.setText("half written");
    const question = chat.state().messages[0];
    if (question?.role === "user") chat.draft.edit(question);
    const sent = chat.replace(question?.key ?? "", "3");
    expect(chat.draft.isSending()).toBe(true);
    chat.draft.cancelEdit();
    expect(await sent).toBe(false);
    expect([chat.draft.text(), chat.draft.isSending(), client.streams.length]).toEqual(["half written", false, 1]);
  });

  it.each([true, false])("that the proxy refused is changed like one that was never sent; other messages: %s", async (hasOthers) => {
    const { client, chat, shown } = await setUp(hasOthers ? {} : { messages: [] });
    if (!hasOthers) client.histories.clear();
    chat.send("much too long");
    await client.lastStream.fail(chatError("message_too_large", "Too long."));
    expect(await chat.replace(chat.state().messages.at(-2)?.key ?? "", "short")).toBe(true);
    expect(client.lastStream.request).toMatchObject({ message: "short" });
    expect(client.lastStream.request).not.toHaveProperty("replaces");
    expect(shown()).toEqual([...(hasOthers ? BEFORE : []), "short", "sent:"]);
    expect(chat.state()).not.toHaveProperty("refused");
  });

  it("does not hide where older messages begin", async () => {
    const { client, chat } = await setUp({ messages: HISTORY.slice(2) });
    client.histories.set("s1", { sessionId: "s1", messages: HISTORY.slice(2), hasMore: true });
    await chat.loadHistory();
    await chat.replace("q2", "zwei");
    await client.lastStream.done("Zweitens.");
    client.histories.set("m1", { sessionId: "s1", messages: HISTORY.slice(0, 2), hasMore: false });
    await chat.loadHistory();
    expect(chat.state().messages.map(({ text }) => text)).toEqual(["one", "First.", "zwei", "Zweitens."]);
  });
});

describe("a page that is loaded anew before the proxy has the request", () => {
  it("asks for the answer again under the same id, and shows the question once", async () => {
    const first = await setUp();
    first.chat.regenerate();
    const { client, chat, shown } = await setUp({ storage: first.storage, prefix: "n" });
    expect(client.lastStream.request).toEqual({ ...first.client.lastStream.request, resent: true });
    expect(shown()).toEqual(["one", "complete:First.", "two", "sent:"]);
    await client.lastStream.fail(chatError("rate_limited", "Wait.", { retryable: true }));
    expect(shown()).toEqual(BEFORE);
    expect(chat.regenerate()).toBe(true);
  });

  it("shows all as it was where it is refused before the history has come, and its question can be changed", async () => {
    const first = await setUp();
    first.chat.regenerate();
    const client = new FakeClient();
    const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter("n"), outbox: makeOutbox(pageStorage(first.storage)) });
    await client.lastStream.fail(chatError("rate_limited", "Wait.", { retryable: true }));
    client.histories.set("s1", { sessionId: "s1", messages: HISTORY, hasMore: false });
    await chat.loadHistory();
    expect(chat.state().messages.map(({ text }) => text)).toEqual(["one", "First.", "two", "Second."]);
    expect(await chat.replace("q2", "zwei")).toBe(true);
  });

  it("sends the changed question again, and shows what it replaces only if it is refused", async () => {
    const first = await setUp();
    await first.chat.replace("q1", "uno");
    const { client, chat, shown } = await setUp({ storage: first.storage, prefix: "n" });
    expect(client.lastStream.request).toMatchObject({ message: "uno", replaces: "q1", resent: true });
    expect(shown()).toEqual(["uno", "sent:"]);
    await client.lastStream.fail(chatError("rate_limited", "Wait.", { retryable: true }));
    expect(shown()).toEqual(BEFORE);
    expect(chat.state().refused).toMatchObject({ question: { key: "q1", text: "uno" } });
  });

  it("shows the new answer where the proxy had taken it", async () => {
    const first = await setUp();
    first.chat.regenerate();
    const id = first.client.lastStream.request.id;
    const taken = [...HISTORY.slice(0, 2), stored("q2", "user", "two", { requestId: id }), stored("a3", "assistant", "Another.")];
    const { client, shown } = await setUp({ storage: first.storage, prefix: "n", messages: taken });
    await client.lastStream.done("Another.");
    expect(shown()).toEqual(["one", "complete:First.", "two", "complete:Another."]);
  });
});
