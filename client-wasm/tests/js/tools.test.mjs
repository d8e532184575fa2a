// Calls of tools, from the model's first letter of the arguments to what a person says and what the tool returns.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chat, ChatError, until } from "./harness.mjs";
import { serve, Turn } from "./fake-server.mjs";

const golden = (path) => JSON.parse(readFileSync(new URL(`../../../protocol/golden/${path}`, import.meta.url))).data;

async function calling() {
  const started = [];
  serve((frame, socket) => {
    if (frame.type === "chat.send_message") started.push(new Turn(socket, frame));
  });
  const stream = chat().streamMessage({ sessionId: "s", message: "What is the weather in Oslo?" });
  const turn = await until(() => started[0]);
  const next = async () => (await stream.next()).value;
  return { turn, next };
}

test("a call is given as it stands: while its arguments are written, while it waits, and with what came of it", async () => {
  const { turn, next } = await calling();
  const { messageId, seq, ...preparing } = golden("server/chat.tool_use.preparing.json");
  turn.tool(preparing);
  assert.deepEqual(await next(), { type: "tool", call: preparing, sessionId: "s", messageId: "msg_1" });
  let written = "";
  for (const piece of ['{"city": "Os', 'lo", "units":', ' ["m","°C"]}']) {
    turn.input(0, piece);
    written += piece;
    assert.deepEqual((await next()).call, { ...preparing, partialInput: written });
  }
  const { messageId: _, seq: __, ...succeeded } = golden("server/chat.tool_use.json");
  const { durationMs, result, approved, ...waiting } = { ...succeeded, status: "pending_approval" };
  for (const call of [waiting, succeeded]) {
    turn.tool(call);
    assert.deepEqual((await next()).call, call);
  }
  assert.deepEqual([typeof durationMs, typeof result, approved], ["number", "object", true]);
  turn.complete("tool_limit");
  assert.equal((await next()).stopReason, "tool_limit");
});

test("arguments that nobody asks for come joined, and text after a call is text", async () => {
  const { turn, next } = await calling();
  const call = golden("server/chat.tool_use.preparing.json");
  turn.tool({ toolUseId: call.toolUseId, name: call.name, input: {}, status: "preparing" });
  for (let n = 0; n < 50; n += 1) turn.input(0, "x");
  turn.text("\n\nClear.", 1);
  turn.complete();
  assert.equal((await next()).call.partialInput, "x".repeat(50));
  assert.deepEqual([(await next()).content, (await next()).content], ["\n\nClear.", "\n\nClear."]);
});

test("what a person says of a call is told to the proxy, which says whether it is taken", async () => {
  const sent = [];
  serve((frame, socket) => {
    sent.push([frame.type, frame.data]);
    const { toolUseId, approved } = frame.data;
    if (toolUseId === "gone") socket.receive({ id: frame.id, type: "chat.error", data: { code: "invalid_request", message: "It does not wait.", retryable: false } });
    else socket.receive({ id: frame.id, type: "chat.tool_approved", data: { toolUseId, approved } });
  });
  const client = chat();
  const full = golden("client/chat.approve_tool.json");
  const least = golden("client/chat.approve_tool.least.json");
  assert.equal(await client.approveTool(full), undefined);
  assert.equal(await client.approveTool(least), undefined);
  const error = await client.approveTool({ toolUseId: "gone", approved: true }).catch((caught) => caught);
  assert.ok(error instanceof ChatError);
  assert.deepEqual([error.code, error.message], ["invalid_request", "It does not wait."]);
  assert.deepEqual(sent.slice(0, 2), [["chat.approve_tool", full], ["chat.approve_tool", least]]);
});
