// The transport under the AI SDK's own chat, which useChat of every framework is built on, in the versions that the package names.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as sdk7 from "ai";
import * as sdk6 from "ai-6";
import { OutcropChatTransport, toUIMessages } from "../../pkg/ai-sdk.js";
import { ASKING, CALL, chat, ChatError, play, RESULT, STORED, UNDER_WAY, until, WRITTEN } from "./lib/played-proxy.mjs";

/** What a framework gives the SDK's chat: here plain values. */
class State {
  status = "ready";
  error = undefined;
  constructor(messages = []) {
    this.messages = messages;
  }
  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (at, message) => (this.messages = this.messages.with(at, structuredClone(message)));
  snapshot = structuredClone;
}

/** Sends a message; gives the answer to play and the promise of its end. */
async function ask(chat, played, message = { text: "Weather?" }) {
  const at = played.turns.length;
  const ended = chat.sendMessage(message);
  return { turn: await until(() => played.turns[at]), ended };
}

const texts = ({ parts }) => parts.filter(({ type }) => type === "text" || type === "reasoning").map(({ type, text }) => [type, text]);
const tools = ({ parts }) => parts.filter(({ type }) => type === "dynamic-tool");

for (const [version, sdk] of Object.entries({ "AI SDK 7": sdk7, "AI SDK 6": sdk6 })) {
  describe(version, () => {
    const { AbstractChat, lastAssistantMessageIsCompleteWithApprovalResponses, readUIMessageStream } = sdk;

    class Chat extends AbstractChat {
      constructor({ messages, ...init }) {
        super({ id: "s", ...init, state: new State(messages) });
      }
    }

    /** A chat over a proxy that the test plays. */
    function over({ client = chat(), ...init } = {}) {
      return new Chat({ transport: new OutcropChatTransport({ client }), ...init });
    }

    test("an answer comes with its reasoning, its text, its usage and its id, and only the last message is sent", async () => {
      const played = play();
      const told = over({ messages: toUIMessages(STORED) });
      const { turn, ended } = await ask(told, played);
      assert.deepEqual(turn.request.data, { sessionId: "s", message: "Weather?", streaming: true });
      turn.reasoning("Let me ");
      turn.reasoning("think.");
      turn.text("Cold", 1);
      turn.text(" today.", 1);
      turn.complete("max_tokens");
      await ended;
      const answer = told.lastMessage;
      assert.deepEqual([told.status, answer.id, answer.role], ["ready", "msg_1", "assistant"]);
      assert.deepEqual(texts(answer), [["reasoning", "Let me think."], ["text", "Cold today."]]);
      assert.deepEqual([answer.metadata.sessionId, answer.metadata.stopReason, answer.metadata.usage.totalTokens], ["s", "max_tokens", 200]);
    });

    test("files are sent with the message, and the body names a model", async () => {
      const played = play();
      const files = [{ type: "file", mediaType: "image/png", filename: "sky.png", url: "data:image/png;base64,iVBORw==" }];
      const told = over();
      const ended = told.sendMessage({ text: "What is it?", files }, { body: { model: "model-b" } });
      const turn = await until(() => played.turns[0]);
      const { model, attachments } = turn.request.data;
      assert.deepEqual([model, attachments], ["model-b", [{ name: "sky.png", mediaType: "image/png", data: "iVBORw==" }]]);
      turn.complete();
      await ended;
    });

    test("a call of a tool is followed while it is written, while it runs and to its result", async () => {
      const played = play();
      const told = over();
      const { turn, ended } = await ask(told, played);
      const state = (wanted) => until(() => told.lastMessage && tools(told.lastMessage)[0]?.state === wanted);
      turn.tool(CALL);
      turn.input(0, '{"city": "Os');
      await until(() => told.lastMessage && tools(told.lastMessage)[0]?.input?.city === "Os");
      turn.tool({ ...WRITTEN, status: "running" });
      await state("input-available");
      turn.tool({ ...WRITTEN, status: "succeeded", durationMs: 5, result: RESULT });
      turn.text("Cold.", 1);
      turn.complete();
      await ended;
      const [call] = tools(told.lastMessage);
      assert.deepEqual([call.toolName, call.state, call.input, call.output], ["weather", "output-available", { city: "Oslo" }, RESULT]);
      assert.deepEqual(told.lastMessage.parts.map(({ type }) => type), ["step-start", "dynamic-tool", "step-start", "text"]);
    });

    for (const approved of [true, false]) {
      test(`a call that waits for a person is ${approved ? "allowed" : "denied"} as the SDK does it, and the answer goes on`, async () => {
        const played = play();
        const told = over({ sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
        const { turn, ended } = await ask(told, played);
        turn.tool(CALL);
        turn.tool({ ...WRITTEN, status: "pending_approval" });
        await ended;
        const [asked] = tools(told.lastMessage);
        assert.deepEqual([told.status, asked.state], ["ready", "approval-requested"]);
        await told.addToolApprovalResponse({ id: asked.approval.id, approved });
        await until(() => played.decisions[0]);
        assert.deepEqual(played.decisions, [{ toolUseId: "call_1", messageId: "msg_1", approved }]);
        if (approved) turn.tool({ ...WRITTEN, status: "running", approved });
        turn.tool({ ...WRITTEN, status: approved ? "succeeded" : "denied", result: RESULT });
        turn.text("Done.", 1);
        turn.complete();
        await until(() => told.status === "ready" && texts(told.lastMessage).length > 0);
        assert.equal(tools(told.lastMessage)[0].state, approved ? "output-available" : "output-denied");
        assert.deepEqual([told.messages.length, texts(told.lastMessage)], [2, [["text", "Done."]]]);
        assert.equal(played.turns.length, 1);
      });
    }

    test("a call that waited before the page was loaded anew is asked about again, until the proxy takes the decision", async () => {
      const played = play({ history: { messages: STORED.slice(0, 1), inProgress: ASKING } });
      const told = over({ messages: toUIMessages(STORED.slice(0, 1)), sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
      await told.resumeStream();
      const [asked] = tools(told.lastMessage);
      assert.deepEqual([told.status, asked.state, asked.input], ["ready", "approval-requested", { city: "Oslo" }]);
      played.isBusy = true;
      await told.addToolApprovalResponse({ id: asked.approval.id, approved: true });
      await until(() => told.status === "error");
      assert.equal(told.error.code, "rate_limited");
      played.isBusy = false;
      const ended = told.sendMessage();
      await until(() => played.decisions[0]);
      const [turn] = played.turns;
      turn.tool({ ...WRITTEN, status: "succeeded", approved: true, result: RESULT });
      turn.text("Done.", 1);
      turn.complete();
      await ended;
      assert.deepEqual([tools(told.lastMessage)[0].state, texts(told.lastMessage)], ["output-available", [["text", "Done."]]]);
    });

    test("who writes on instead of deciding stops the answer that waits", async () => {
      const played = play();
      const told = over();
      const { turn, ended } = await ask(told, played);
      turn.tool({ ...WRITTEN, status: "pending_approval" });
      await ended;
      const next = await ask(told, played, { text: "Never mind." });
      assert.deepEqual(played.frames.filter(({ type }) => type === "chat.cancel").map(({ data }) => data), [{ messageId: "msg_1" }]);
      next.turn.complete();
      await next.ended;
    });

    test("an answer that fails is the client's error, with its code", async () => {
      const played = play();
      const told = over();
      const { turn, ended } = await ask(told, played);
      turn.text("Co");
      turn.fail({ code: "throttled", message: "Too busy.", retryAfterMs: 3000 });
      await ended;
      assert.ok(told.error instanceof ChatError);
      assert.deepEqual([told.status, told.error.code, told.error.retryAfterMs, texts(told.lastMessage)], ["error", "throttled", 3000, [["text", "Co"]]]);
    });

    test("stop() stops the answer in the proxy", async () => {
      const played = play();
      const told = over();
      const { turn, ended } = await ask(told, played);
      turn.text("Co");
      await until(() => told.lastMessage?.role === "assistant" && texts(told.lastMessage).length);
      await told.stop();
      await ended;
      await until(() => played.frames.some(({ type }) => type === "chat.cancel"));
      assert.deepEqual([told.status, texts(told.lastMessage)], ["ready", [["text", "Co"]]]);
    });

    test("an answer under way is resumed whole, and looked away from without stopping it", async () => {
      const played = play({ history: { messages: STORED.slice(0, 1), inProgress: UNDER_WAY } });
      const told = over({ messages: toUIMessages(STORED.slice(0, 1)) });
      const ended = told.resumeStream();
      const turn = await until(() => played.turns[0]);
      turn.text("rock");
      turn.complete();
      await ended;
      assert.deepEqual([told.messages.length, told.lastMessage.id, texts(told.lastMessage)], [2, "msg_1", [["text", "Bedrock"]]]);

      const transport = new OutcropChatTransport({ client: chat() });
      await (await transport.reconnectToStream({ chatId: "s" })).cancel();
      assert.ok(!played.frames.some(({ type }) => type === "chat.cancel"));
    });

    test("where no answer is under way there is nothing to resume", async () => {
      for (const history of [undefined, { messages: STORED }]) {
        play({ history });
        assert.equal(await new OutcropChatTransport({ client: chat() }).reconnectToStream({ chatId: "s" }), null);
      }
    });

    test("an answer is made anew by its id, or the last one; a message that was sent is not changed", async () => {
      const played = play({ history: { messages: STORED } });
      const client = chat();
      const asked = [];
      client.regenerate = (request, { signal }) => {
        asked.push(request);
        return client.streamMessage({ sessionId: request.sessionId, message: "again" }, { signal });
      };
      for (const messageId of ["msg_b", undefined]) {
        const told = over({ client, messages: toUIMessages(STORED) });
        const at = played.turns.length;
        const ended = told.regenerate({ messageId });
        const turn = await until(() => played.turns[at]);
        turn.text("Anew.");
        turn.complete();
        await ended;
        assert.deepEqual([told.messages.length, texts(told.lastMessage)], [2, [["text", "Anew."]]]);
      }
      assert.deepEqual(asked, Array(2).fill({ sessionId: "s", messageId: "msg_b" }));

      const told = over({ client, messages: toUIMessages(STORED) });
      await told.sendMessage({ text: "Instead.", messageId: "msg_a" });
      assert.match(told.error.message, /cannot be changed/);
    });

    test("stored messages are the SDK's, with their parts", () => {
      const [question, answer] = toUIMessages(STORED);
      assert.deepEqual([question.id, question.role, texts(question)], ["msg_a", "user", [["text", "Weather?"]]]);
      assert.deepEqual(texts(answer), [["reasoning", "Look."], ["text", "Cold."]]);
      assert.deepEqual(tools(answer).map(({ state, output, errorText }) => [state, output ?? errorText]), [["output-available", RESULT], ["output-error", "no sky"]]);
      assert.equal(answer.metadata.stopReason, "end_turn");
    });

    test("what an answer waits for is told as data that is not kept", async () => {
      const played = play();
      const seen = [];
      const told = over({ onData: ({ type, data }) => seen.push([type, data.state]) });
      const { turn, ended } = await ask(told, played);
      turn.socket.receive({ id: turn.request.id, type: "chat.status", data: { sessionId: "s", messageId: "msg_1", state: "queued" } });
      turn.complete();
      await ended;
      assert.deepEqual([seen, texts(told.lastMessage)], [[["data-status", "queued"]], []]);
    });

    test("the stream is one that the SDK reads by itself", async () => {
      const played = play();
      const message = { id: "1", role: "user", parts: [{ type: "text", text: "Hello" }] };
      const transport = new OutcropChatTransport({ client: chat() });
      const stream = await transport.sendMessages({ trigger: "submit-message", chatId: "s", messages: [message] });
      const turn = await until(() => played.turns[0]);
      turn.text("Hi.");
      turn.complete();
      let last;
      for await (const read of readUIMessageStream({ stream })) last = read;
      assert.deepEqual(texts(last), [["text", "Hi."]]);
    });
  });
}
