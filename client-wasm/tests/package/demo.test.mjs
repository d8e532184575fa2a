// The adapters against the real proxy in demo mode: an answer, and one whose tool a person allows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatClient as TanStackChat } from "@tanstack/ai-client";
import { readUIMessageStream } from "ai";
import { WebSocket } from "ws";
import { OutcropChatTransport, toUIMessages } from "../../pkg/ai-sdk.js";
import { ChatClient } from "../../pkg/node.js";
import { outcropConnection } from "../../pkg/tanstack-ai.js";
import { startProxy } from "./lib/proxy.mjs";

const QUESTION = "How much did we spend this week?";

async function connected(t) {
  const { ws: url } = await startProxy(t, { args: ["--analytics-approval", "always"] });
  const client = new ChatClient({ url, WebSocket });
  t.after(() => client.close());
  return client;
}

const asked = (messages, text) => [...messages, { id: `of the page ${messages.length}`, role: "user", parts: [{ type: "text", text }] }];

test("the AI SDK gets an answer, allows a tool and goes on with what it returned", async (t) => {
  const client = await connected(t);
  const transport = new OutcropChatTransport({ client });
  const send = async (messages) => {
    const stream = await transport.sendMessages({ trigger: "submit-message", chatId: "s", messages });
    const last = messages.at(-1);
    let read;
    for await (read of readUIMessageStream({ stream, message: last.role === "assistant" ? last : undefined }));
    return read;
  };
  const hello = await send(asked([], "Hello"));
  assert.match(hello.parts.at(-1).text, /I am the Bedrock emulator/);
  const waiting = await send(asked([], QUESTION));
  const call = waiting.parts.find(({ type }) => type === "dynamic-tool");
  assert.equal(call.state, "approval-requested");
  Object.assign(call, { state: "approval-responded", approval: { ...call.approval, approved: true } });
  const answer = await send([waiting]);
  assert.equal(answer.parts.find(({ type }) => type === "dynamic-tool").state, "output-available");
  assert.ok(answer.metadata.usage.totalTokens > 0);
  const stored = toUIMessages((await client.history({ sessionId: "s" })).messages);
  assert.deepEqual(stored.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
  const kinds = ({ parts }) => parts.map(({ type }) => type).filter((type) => type !== "step-start");
  assert.deepEqual([stored[3].id, kinds(stored[3])], [answer.id, kinds(answer)]);
});

test("TanStack AI gets an answer, allows a tool and goes on with what it returned", async (t) => {
  const client = await connected(t);
  const connection = outcropConnection({ client });
  const called = (messages) => messages.at(-1)?.parts.findLast(({ type }) => type === "tool-call");
  const decided = new Set();
  const chat = new TanStackChat({
    connection,
    threadId: "s",
    onMessagesChange: (messages) => {
      const call = called(messages);
      if (call?.state !== "approval-requested" || decided.has(call.id)) return;
      decided.add(call.id);
      void connection.approveTool(call.id, true);
    },
  });
  await chat.sendMessage("Hello");
  assert.match(chat.getMessages().at(-1).parts.at(-1).content, /I am the Bedrock emulator/);
  await chat.sendMessage(QUESTION);
  assert.equal(decided.size, 1);
  assert.equal(called(chat.getMessages()).state, "complete");
  const { messages } = await connection.hydrate("s");
  assert.deepEqual(messages.map(({ id }) => id).filter((_, at) => at % 2), chat.getMessages().map(({ id }) => id).filter((_, at) => at % 2));
});
