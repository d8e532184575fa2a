// The connection under TanStack AI's own chat client, which useChat of every framework is built on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatClient } from "@tanstack/ai-client";
import { outcropConnection, toUIMessages } from "../../pkg/tanstack-ai.js";
import { ASKING, CALL, chat, play, RESULT, STORED, UNDER_WAY, until, WRITTEN } from "./lib/played-proxy.mjs";

/** A chat over a proxy that the test plays. */
function over({ client = chat(), ...init } = {}) {
  const connection = outcropConnection({ client });
  const told = { errors: [], status: [], custom: [], messages: [] };
  told.chat = new ChatClient({
    connection,
    threadId: "s",
    onError: (error) => told.errors.push(error),
    onStatusChange: (status) => told.status.push(status),
    onCustomEvent: (name, value) => told.custom.push([name, value]),
    onMessagesChange: (messages) => (told.messages = messages),
    onFinish: (message) => (told.finished = message),
    ...init,
  });
  told.connection = connection;
  told.last = () => told.messages.at(-1);
  return told;
}

async function ask(told, played, message = "Weather?") {
  const at = played.turns.length;
  const ended = told.chat.sendMessage(message);
  return { turn: await until(() => played.turns[at]), ended };
}

const texts = ({ parts }) => parts.filter(({ type }) => type === "text" || type === "thinking").map(({ type, content }) => [type, content]);
const call = ({ parts }) => parts.find(({ type }) => type === "tool-call");

test("an answer comes with its reasoning, its text and its id, and only the last message is sent", async () => {
  const played = play();
  const told = over({ initialMessages: toUIMessages(STORED) });
  const { turn, ended } = await ask(told, played);
  assert.deepEqual(turn.request.data, { sessionId: "s", message: "Weather?", streaming: true });
  turn.reasoning("Let me ");
  turn.reasoning("think.");
  turn.text("Cold", 1);
  turn.text(" today.", 1);
  turn.complete();
  await ended;
  assert.deepEqual([told.chat.getStatus(), told.last().id, told.messages.length], ["ready", "msg_1", 4]);
  assert.deepEqual(texts(told.last()), [["thinking", "Let me think."], ["text", "Cold today."]]);
});

test("the end of an answer says what it used", async () => {
  const played = play();
  const ends = [];
  const told = over({ onChunk: (chunk) => chunk.type === "RUN_FINISHED" && ends.push(chunk) });
  const { turn, ended } = await ask(told, played);
  turn.text("Cold.");
  turn.complete("max_tokens");
  await ended;
  const [{ usage, finishReason, metadata }] = ends;
  assert.deepEqual(usage, { promptTokens: 50, completionTokens: 150, totalTokens: 200, cost: 0.0024 });
  assert.deepEqual([finishReason, metadata.outcrop.stopReason], ["length", "max_tokens"]);
});

test("files are sent with the message", async () => {
  const played = play();
  const told = over();
  const source = { type: "data", value: "iVBORw==", mimeType: "image/png" };
  const { turn, ended } = await ask(told, played, { content: [{ type: "text", content: "What is it?" }, { type: "image", source, metadata: { name: "sky.png" } }] });
  const { message, attachments } = turn.request.data;
  assert.deepEqual([message, attachments], ["What is it?", [{ name: "sky.png", mediaType: "image/png", data: "iVBORw==" }]]);
  turn.complete();
  await ended;
});

test("a call of a tool is followed to its result, and nothing is sent by itself after it", async () => {
  const played = play();
  const told = over();
  const { turn, ended } = await ask(told, played);
  turn.text("I look.");
  turn.tool(CALL);
  turn.input(1, '{"city": "Os');
  await until(() => told.last() && call(told.last())?.arguments === '{"city": "Os');
  turn.tool({ ...WRITTEN, status: "running" });
  await until(() => call(told.last()).state === "input-complete");
  turn.tool({ ...WRITTEN, status: "succeeded", durationMs: 5, result: RESULT });
  turn.reasoning("So that is it.", 2);
  turn.text("Cold.", 3);
  turn.complete("tool_limit");
  await ended;
  const { name, state, input, output } = call(told.last());
  assert.deepEqual([name, state, input, output], ["weather", "complete", { city: "Oslo" }, "4 °C"]);
  assert.deepEqual(told.last().parts.map(({ type }) => type), ["text", "tool-call", "tool-result", "thinking", "text"]);
  assert.equal(played.frames.filter(({ type }) => type === "chat.send_message").length, 1);
});

for (const approved of [true, false]) {
  test(`a call that waits for a person is ${approved ? "allowed" : "denied"} while the answer goes on`, async () => {
    const played = play();
    const told = over();
    const { turn, ended } = await ask(told, played);
    turn.tool(CALL);
    turn.tool({ ...WRITTEN, status: "pending_approval" });
    await until(() => told.last() && call(told.last())?.state === "approval-requested");
    await told.connection.approveTool(call(told.last()).id, approved);
    assert.deepEqual(played.decisions, [{ toolUseId: "call_1", approved, messageId: "msg_1" }]);
    turn.tool({ ...WRITTEN, status: approved ? "succeeded" : "denied", ...(approved && { result: RESULT }) });
    turn.text("Done.", 1);
    turn.complete();
    await ended;
    const { state, output } = call(told.last());
    assert.deepEqual([state, output], approved ? ["complete", "4 °C"] : ["error", "The call was denied."]);
    assert.equal(played.turns.length, 1);
  });
}

test("an answer that fails is an error with its code", async () => {
  const played = play();
  const told = over();
  const { turn, ended } = await ask(told, played);
  turn.text("Co");
  turn.fail({ code: "throttled", message: "Too busy.", retryAfterMs: 3000 });
  await ended;
  const [error] = told.errors;
  assert.deepEqual([told.chat.getStatus(), error.message, error.code, error.rawEvent.retryAfterMs], ["error", "Too busy.", "throttled", 3000]);
});

test("stop() stops the answer in the proxy", async () => {
  const played = play();
  const told = over();
  const { turn, ended } = await ask(told, played);
  turn.text("Co");
  await until(() => told.last()?.role === "assistant" && texts(told.last()).length);
  told.chat.stop();
  await ended;
  await until(() => played.frames.some(({ type }) => type === "chat.cancel"));
  assert.deepEqual([told.chat.getStatus(), texts(told.last())], ["ready", [["text", "Co"]]]);
});

test("a chat that is loaded anew has its conversation and goes on with the answer under way", async () => {
  const played = play({ history: { messages: STORED.slice(0, 1), inProgress: UNDER_WAY } });
  const told = over({ persistence: true });
  told.chat.attach();
  const turn = await until(() => played.turns[0]);
  turn.text("rock");
  turn.complete();
  await until(() => told.chat.getStatus() === "ready");
  assert.deepEqual(told.messages.map((message) => [message.id, texts(message)]), [["msg_a", [["text", "Weather?"]]], ["msg_1", [["text", "Bedrock"]]]]);
});

test("a call that waited before the page was loaded anew is asked about again", async () => {
  const played = play({ history: { messages: STORED.slice(0, 1), inProgress: ASKING } });
  const told = over({ persistence: true });
  told.chat.attach();
  await until(() => told.last()?.role === "assistant" && call(told.last())?.state === "approval-requested");
  await told.connection.approveTool("call_1", true);
  assert.deepEqual(played.decisions, [{ toolUseId: "call_1", approved: true, messageId: "msg_1" }]);
  const [turn] = played.turns;
  turn.tool({ ...WRITTEN, status: "succeeded", approved: true, result: RESULT });
  turn.text("Done.", 1);
  turn.complete();
  await until(() => told.chat.getStatus() === "ready");
  assert.deepEqual([call(told.last()).state, texts(told.last())], ["complete", [["text", "Done."]]]);
});

test("a conversation is loaded page by page, and one that is not there is empty", async () => {
  const played = play({ history: { messages: STORED, hasMore: true } });
  const { messages, activeRun, page } = await outcropConnection({ client: chat() }).hydrate("s", { limit: 2, before: "msg_c" });
  assert.deepEqual([messages.length, activeRun, page], [2, null, { truncated: true, cursor: "msg_a" }]);
  assert.deepEqual(played.frames[0].data, { sessionId: "s", limit: 2, before: "msg_c" });
  play();
  assert.deepEqual((await outcropConnection({ client: chat() }).hydrate("s")).messages, []);
});

test("reload() has the last answer made anew", async () => {
  const played = play({ history: { messages: STORED } });
  const client = chat();
  const asked = [];
  client.regenerate = (request, { signal }) => {
    asked.push(request);
    return client.streamMessage({ sessionId: "s", message: "again" }, { signal });
  };
  const told = over({ client });
  const first = await ask(told, played);
  first.turn.text("Cold.");
  first.turn.complete();
  await first.ended;
  const ended = told.chat.reload();
  const turn = await until(() => played.turns[1]);
  turn.text("Anew.");
  turn.complete();
  await ended;
  assert.deepEqual(asked, [{ sessionId: "s", messageId: "msg_b" }]);
  assert.deepEqual([told.messages.length, texts(told.last())], [2, [["text", "Anew."]]]);
});

test("what an answer waits for is a custom event", async () => {
  const played = play();
  const told = over();
  const { turn, ended } = await ask(told, played);
  turn.socket.receive({ id: turn.request.id, type: "chat.status", data: { sessionId: "s", messageId: "msg_1", state: "stalled" } });
  turn.complete();
  await ended;
  assert.deepEqual(told.custom.map(([name, { state }]) => [name, state]), [["outcrop.status", "stalled"]]);
});

test("stored messages are TanStack's, with their parts", () => {
  const [question, answer] = toUIMessages(STORED);
  assert.deepEqual([question.id, question.role, texts(question)], ["msg_a", "user", [["text", "Weather?"]]]);
  assert.deepEqual(texts(answer), [["thinking", "Look."], ["text", "Cold."]]);
  const calls = answer.parts.filter(({ type }) => type === "tool-call").map(({ state, output }) => [state, output]);
  assert.deepEqual(calls, [["complete", "4 °C"], ["error", "no sky"]]);
});
