import type { Part, ToolUse } from "@outcrop/client";
import { describe, expect, it } from "vitest";
import { chatError, counter, FakeClient, FakeClock } from "../test/fake-client.ts";
import { makeChat } from "./chat.ts";
import { withEnd, type AnswerPart } from "./parts.ts";
import type { Answer } from "./state.ts";

const CALL: ToolUse = { toolUseId: "t1", name: "forecast", server: "weather", input: { city: "Oslo" }, status: "running" };

function setUp() {
  const client = new FakeClient();
  const clock = new FakeClock();
  const chat = makeChat({ client, sessionId: "s1", clock: clock.read, newKey: counter("k") });
  const answer = () => chat.state().messages.at(-1) as Answer;
  return { client, clock, chat, answer };
}

/** The parts in short: `text:Hi`, `reasoning:Hm`, `t1:running`. */
function short(parts: readonly AnswerPart[]): string[] {
  return parts.map((part) => (part.type === "tool" ? `${part.call.toolUseId}:${part.call.status}` : `${part.type}:${part.text}`));
}

describe("the parts of an answer", () => {
  it("stand in the order in which they came", async () => {
    const { client, chat, answer } = setUp();
    chat.send("Hello");
    const stream = client.lastStream;
    await stream.reasoning("H");
    await stream.reasoning("m");
    await stream.token("I ");
    await stream.token("look.");
    await stream.tool({ ...CALL, input: {}, status: "preparing", partialInput: '{"ci' });
    await stream.tool({ ...CALL, toolUseId: "t2" });
    await stream.tool({ ...CALL, status: "succeeded", result: { text: "Rain" } });
    await stream.reasoning("So");
    await stream.token("\n\nIt rains.");
    expect(short(answer().parts)).toEqual(["reasoning:Hm", "text:I look.", "t1:succeeded", "t2:running", "reasoning:So", "text:\n\nIt rains."]);
    expect(answer().text).toBe("I look.\n\nIt rains.");
    const before = answer().parts;
    await stream.done("I look.\n\nIt rains.");
    expect(answer().parts).toEqual(before);
  });

  it("that do not change stay the same objects", async () => {
    const { client, chat, answer } = setUp();
    chat.send("Hello");
    await client.lastStream.token("a");
    await client.lastStream.tool(CALL);
    await client.lastStream.token("b");
    const [text, tool, growing] = answer().parts;
    await client.lastStream.token("c");
    expect([answer().parts[0] === text, answer().parts[1] === tool, answer().parts[2] === growing]).toEqual([true, true, false]);
  });

  it("say how long the model thought, as far as this page saw it", async () => {
    const { client, clock, chat, answer } = setUp();
    chat.send("Hello");
    await client.lastStream.reasoning("H");
    const startedAt = clock.now;
    clock.now += 3_000;
    await client.lastStream.reasoning("m");
    expect(answer().parts).toEqual([{ type: "reasoning", text: "Hm", startedAt }]);
    clock.now += 9_000;
    await client.lastStream.token("x");
    expect(answer().parts[0]).toEqual({ type: "reasoning", text: "Hm", startedAt, endedAt: startedAt + 12_000 });
  });

  it.each(["stopped", "failed"])("have an end where the answer is %s in the middle of a thought", async (how) => {
    const { client, clock, chat, answer } = setUp();
    chat.send("Hello");
    await client.lastStream.reasoning("Hm");
    clock.now += 1_000;
    if (how === "failed") await client.lastStream.fail(chatError("interrupted", "Cut."));
    else await client.lastStream.done("", { stopReason: "cancelled" });
    expect(answer().parts).toMatchObject([{ text: "Hm", endedAt: clock.now }]);
  });

  it("take how a call ended after a stop, and no more text until the end has it all", async () => {
    const { client, chat, answer } = setUp();
    chat.send("Hello");
    await client.lastStream.token("a");
    await client.lastStream.tool(CALL);
    chat.stop();
    await client.lastStream.token("b");
    await client.lastStream.tool({ ...CALL, status: "unknown_outcome" });
    expect(short(answer().parts)).toEqual(["text:a", "t1:unknown_outcome"]);
    expect(answer().phase).toBe("stopping");
    await client.lastStream.done("ab", { stopReason: "cancelled" });
    expect(short(answer().parts)).toEqual(["text:a", "t1:unknown_outcome", "text:b"]);
  });

  it("are the text that the proxy has, where that is another one", () => {
    const parts: AnswerPart[] = [{ type: "text", text: "a" }, { type: "tool", call: CALL }, { type: "text", text: "b" }];
    expect(short(withEnd(parts, "other", 0))).toEqual(["t1:running", "text:other"]);
    expect(short(withEnd(parts, "", 0))).toEqual(["t1:running"]);
    expect(short(withEnd([], "", 0))).toEqual([]);
  });

  it("come from history in their order, and an answer in progress goes on from there", async () => {
    const { client, chat, answer } = setUp();
    const timestamp = "2026-11-23T12:00:00.000Z";
    const parts: Part[] = [{ type: "reasoning", text: "Hm" }, { type: "text", text: "I look." }, { type: "tool_use", ...CALL, status: "pending_approval" }];
    const message = { messageId: "m1", role: "assistant", content: "I look.", timestamp, parts } as const;
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [], inProgress: { message, seq: 7 } });
    await chat.loadHistory();
    expect(short(answer().parts)).toEqual(["reasoning:Hm", "text:I look.", "t1:pending_approval"]);
    expect(answer().phase).toBe("streaming");
    await client.lastStream.tool({ ...CALL, status: "succeeded" });
    await client.lastStream.token("\n\nRain.");
    expect(short(answer().parts)).toEqual(["reasoning:Hm", "text:I look.", "t1:succeeded", "text:\n\nRain."]);
    expect(answer().parts[0]).toEqual({ type: "reasoning", text: "Hm" });
  });
});

describe("a decision about a call", () => {
  const waiting: ToolUse = { ...CALL, status: "pending_approval" };

  async function asked() {
    const all = setUp();
    all.chat.send("Hello");
    await all.client.lastStream.tool(waiting);
    return all;
  }

  it("is sent with the answer it is about and stands until the proxy shows what came of it", async () => {
    const { client, chat, answer } = await asked();
    await chat.decide("t1", true);
    expect(client.decisions).toEqual([{ toolUseId: "t1", messageId: "m1", approved: true }]);
    expect(answer().parts).toEqual([{ type: "tool", call: waiting, decision: { approved: true } }]);
    await client.lastStream.tool({ ...CALL, approved: true });
    expect(answer().parts).toEqual([{ type: "tool", call: { ...CALL, approved: true } }]);
  });

  it("that does not arrive can be taken again", async () => {
    const { client, chat, answer } = await asked();
    client.refusal = chatError("overloaded", "Too much waits.", { retryable: true });
    await chat.decide("t1", false);
    expect(answer().parts).toMatchObject([{ decision: { approved: false, failure: { message: "Too much waits." } } }]);
    client.refusal = undefined;
    await chat.decide("t1", false);
    expect(answer().parts[0]).not.toHaveProperty("decision.failure");
    expect(client.decisions).toHaveLength(2);
  });

  it("can be taken again where the proxy still waits for it after a reconnect", async () => {
    const { client, chat, answer } = await asked();
    await chat.decide("t1", true);
    await client.lastStream.tool(waiting);
    expect(answer().parts).toEqual([{ type: "tool", call: waiting }]);
  });

  it("counts for nothing once another tab has decided", async () => {
    const { client, chat, answer } = await asked();
    await client.lastStream.tool({ ...CALL, status: "denied" });
    await chat.decide("t1", true);
    expect(answer().parts).toEqual([{ type: "tool", call: { ...CALL, status: "denied" } }]);
  });
});
