// The adapters against the real proxy in demo mode: an answer, one whose tool a person allows, and what is asked again or otherwise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatClient as TanStackChat } from "@tanstack/ai-client";
import * as sdk from "ai";
import { WebSocket } from "ws";
import { OutcropChatTransport, toUIMessages } from "../../pkg/ai-sdk.js";
import { ChatClient } from "../../pkg/node.js";
import { outcropConnection } from "../../pkg/tanstack-ai.js";
import { startProxy } from "./lib/proxy.mjs";
import { chatOf } from "./lib/sdk-chat.mjs";

const QUESTION = "How much did we spend this week?";
const INSTRUCTIONS = "What are your instructions?";

async function connected(t) {
  const { ws: url } = await startProxy(t, { args: ["--analytics-approval", "always"] });
  const client = new ChatClient({ url, WebSocket });
  t.after(() => client.close());
  return client;
}

/** What is stored of the conversation: questions, and of answers the sum. */
async function said(client) {
  const { messages } = await client.history({ sessionId: "s" });
  return messages.map(({ role, content }) => (role === "user" ? content : /= (\d+)/.exec(content)?.[1] ?? content));
}

const asked = (messages, text) => [...messages, { id: `of the page ${messages.length}`, role: "user", parts: [{ type: "text", text }] }];

test("the AI SDK gets an answer, allows a tool and goes on with what it returned", async (t) => {
  const client = await connected(t);
  const transport = new OutcropChatTransport({ client });
  const send = async (messages) => {
    const stream = await transport.sendMessages({ trigger: "submit-message", chatId: "s", messages });
    const last = messages.at(-1);
    let read;
    for await (read of sdk.readUIMessageStream({ stream, message: last.role === "assistant" ? last : undefined }));
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

test("the AI SDK has answers made anew and messages changed, and passes instructions on", async (t) => {
  const client = await connected(t);
  const chat = new (chatOf(sdk))({ transport: new OutcropChatTransport({ client }) });
  const text = () => chat.lastMessage.parts.findLast((part) => part.type === "text").text;
  await chat.sendMessage({ text: "2+2" });
  await chat.sendMessage({ text: INSTRUCTIONS });
  assert.doesNotMatch(text(), /geologist/);
  await chat.regenerate({ body: { systemPrompt: "Speak like a geologist." } });
  assert.match(text(), /> Speak like a geologist\./);
  const [first, , second] = chat.messages;
  await chat.sendMessage({ text: "2+3", messageId: second.id });
  assert.deepEqual(await said(client), ["2+2", "4", "2+3", "5"]);
  for (const [question, sum] of [["2+4", "6"], ["2+5", "7"]]) {
    await chat.sendMessage({ text: question, messageId: first.id });
    assert.deepEqual([chat.error, await said(client)], [undefined, [question, sum]]);
  }
  await chat.regenerate();
  assert.deepEqual([chat.error, await said(client)], [undefined, ["2+5", "7"]]);

  const loaded = new (chatOf(sdk))({ transport: new OutcropChatTransport({ client }), messages: toUIMessages((await client.history({ sessionId: "s" })).messages) });
  await loaded.regenerate();
  await loaded.sendMessage({ text: "2+6", messageId: loaded.messages[0].id });
  assert.deepEqual([loaded.error, await said(client)], [undefined, ["2+6", "8"]]);
});

test("the AI SDK asks again what failed before anything came of it, and what waits for a person", async (t) => {
  const client = await connected(t);
  const chat = new (chatOf(sdk))({ transport: new OutcropChatTransport({ client }) });
  await chat.sendMessage({ text: "2+2" });
  await chat.sendMessage({ text: "/error-before AccessDeniedException" });
  assert.equal(chat.error.code, "model_access_denied");
  await chat.regenerate();
  assert.equal(chat.error.code, "model_access_denied");
  assert.deepEqual(await said(client), ["2+2", "4", "/error-before AccessDeniedException"]);
  await chat.sendMessage({ text: QUESTION, messageId: chat.messages.findLast(({ role }) => role === "user").id });
  const waiting = () => chat.lastMessage.parts.find(({ type }) => type === "dynamic-tool").toolCallId;
  const call = waiting();
  await chat.regenerate();
  assert.notEqual(waiting(), call);
  await chat.sendMessage({ text: "2+3", messageId: chat.messages.at(-2).id });
  assert.deepEqual([chat.error, await said(client)], [undefined, ["2+2", "4", "2+3", "5"]]);
});

test("TanStack AI has answers made anew and messages changed, and passes instructions on", async (t) => {
  const client = await connected(t);
  const chat = new TanStackChat({ connection: outcropConnection({ client }), threadId: "s" });
  const text = () => chat.getMessages().at(-1).parts.findLast(({ type }) => type === "text").content;
  await chat.sendMessage(INSTRUCTIONS, { systemPrompt: "Speak like a geologist." });
  assert.match(text(), /> Speak like a geologist\./);
  await chat.reload();
  assert.doesNotMatch(text(), /geologist/);
  const [{ id: replaces }] = chat.getMessages();
  chat.setMessagesManually([]);
  await chat.sendMessage("2+2", { replaces });
  assert.deepEqual(await said(client), ["2+2", "4"]);

  const { messages: initialMessages } = await outcropConnection({ client }).hydrate("s");
  const loaded = new TanStackChat({ connection: outcropConnection({ client }), threadId: "s", initialMessages });
  await loaded.reload();
  assert.deepEqual([loaded.getError(), await said(client)], [undefined, ["2+2", "4"]]);
  await loaded.sendMessage("/error-before AccessDeniedException");
  await loaded.reload();
  assert.equal(loaded.getError().code, "model_access_denied");
  assert.deepEqual(await said(client), ["2+2", "4", "/error-before AccessDeniedException"]);
});
