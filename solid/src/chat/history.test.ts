import type { HistoryResponse } from "@outcrop/client";
import { describe, expect, it } from "vitest";
import { chatError, counter, FakeClient, FakeClock, USAGE } from "../test/fake-client.ts";
import { makeChat } from "./chat.ts";

function setUp() {
  const client = new FakeClient();
  const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter("k") });
  return { client, chat };
}

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
    expect(chat.state().messages[2]).toMatchObject({ text: "c", parts: [{ type: "reasoning", text: "Hm" }, { type: "text", text: "c" }] });
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

  /** The texts that are shown while a page of history comes for what was asked here under `k2`, before and after a token. */
  async function shownWith(page: Omit<HistoryResponse, "sessionId" | "hasMore">, question: string, isNamedFirst: boolean) {
    const { client, chat } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: false, ...page });
    const texts = () => chat.state().messages.map((message) => message.text);
    chat.send(question);
    expect(client.lastStream.request.id).toBe("k2");
    if (isNamedFirst) await client.lastStream.token("Good ");
    await chat.loadHistory();
    const loaded = texts();
    if (!isNamedFirst) await client.lastStream.token("Good ");
    const named = texts();
    await client.lastStream.done("Good day");
    expect(client.followed).toEqual([]);
    return [loaded, named, texts()].map((shown) => shown.join("|"));
  }

  const question = { messageId: "q", requestId: "k2", role: "user", content: "Hello", timestamp: at } as const;
  const answer = { messageId: "m1", role: "assistant", content: "Good day", timestamp: at, usage: USAGE, stopReason: "end_turn" } as const;
  const earlier = [{ ...question, messageId: "q0", requestId: "k0" }, { ...answer, messageId: "m0" }];
  const inProgress = { message: { ...answer, content: "Good" }, seq: 1 };

  it.each<[string, Omit<HistoryResponse, "sessionId" | "hasMore">]>([
    ["not stored", { messages: earlier }],
    ["not stored, though in progress", { messages: earlier, inProgress }],
    ["without a word", { messages: [...earlier, question] }],
    ["in progress", { messages: [...earlier, question], inProgress }],
    ["stored", { messages: [...earlier, question, answer] }],
  ])("holds what was asked on this page once at every moment, the answer being %s", async (_, page) => {
    for (const isNamedFirst of [true, false]) {
      const shown = await shownWith(page, "Hello", isNamedFirst);
      expect(shown).toEqual([`Hello|Good day|Hello|${isNamedFirst ? "Good " : ""}`, "Hello|Good day|Hello|Good ", "Hello|Good day|Hello|Good day"]);
    }
  });

  it("knows what was asked on this page by its id, not by its text", async () => {
    const other = { ...question, requestId: "k9", content: "Another tab's" };
    const renamed = { ...question, content: "Hello as it was stored" };
    expect((await shownWith({ messages: [other] }, "Hello", false))[0]).toBe("Another tab's|Hello|");
    expect((await shownWith({ messages: [renamed, answer] }, "Hello", false))[0]).toBe("Hello|");
    const again = { ...question, messageId: "q9", requestId: "k9" };
    expect((await shownWith({ messages: [question, answer, again] }, "Hello", true))[0]).toBe("Hello|Hello|Good ");
  });

  it("holds a question once that the proxy has from before its answer failed with nothing", async () => {
    const failed = { ...question, requestId: "k0" };
    expect(await shownWith({ messages: [failed] }, "Hello", false)).toEqual(["Hello|", "Hello|Good ", "Hello|Good day"]);
    const replaced = { ...failed, content: "Hello \ufffd" };
    expect((await shownWith({ messages: [replaced] }, "Hello \ud83d", false))[0]).toBe("Hello \ud83d|");
    const echo = { ...answer, content: "Hello" };
    expect((await shownWith({ messages: [failed, echo] }, "Hello", false))[0], "an answer is no question").toBe("Hello|Hello|Hello|");
    const broken = { ...answer, content: "Go", error: { code: "interrupted", message: "It was cut.", retryable: true } } as const;
    expect((await shownWith({ messages: [failed, broken] }, "Hello", false))[0], "the proxy takes that for another").toBe("Hello|Go|Hello|");
  });

  it("takes no question of an older page for the one that waits", async () => {
    const { client, chat } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: true, messages: [{ ...answer, messageId: "m0" }] });
    client.histories.set("m0", { sessionId: "s1", hasMore: false, messages: [{ ...question, requestId: "k0" }] });
    chat.send("Hello");
    await chat.loadHistory();
    await chat.loadHistory();
    expect(chat.state().messages.map((message) => message.text)).toEqual(["Hello", "Good day", "Hello", ""]);
  });

  it("comes once for a question that is sent again, wherever it stands", async () => {
    for (const requestId of ["k2", "k3"]) {
      const { client, chat } = setUp();
      client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ ...question, requestId }] });
      chat.send("Hello");
      await client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true }));
      chat.retry();
      expect(client.lastStream.request.id).toBe("k3");
      await chat.loadHistory();
      expect(chat.state().messages).toMatchObject([{ text: "Hello" }, { key: "k3", phase: "sent" }]);
      expect(chat.state().messages).toHaveLength(2);
    }
  });

  it("does not follow an answer that was stopped here before it had its name", async () => {
    const { client, chat } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [question], inProgress });
    chat.send("Hello");
    chat.stop();
    await chat.loadHistory();
    expect(chat.state().messages).toMatchObject([{ text: "Hello" }, { key: "k2", phase: "stopping" }]);
    expect(client.followed).toEqual([]);
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
