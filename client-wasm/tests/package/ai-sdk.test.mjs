// The transport under the AI SDK's own chat, which useChat of every framework is built on, in the versions that the package names.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as sdk7 from "ai";
import * as sdk6 from "ai-6";
import { OutcropChatTransport, toUIMessages } from "../../pkg/ai-sdk.js";
import { ASKING, CALL, chat, ChatError, play, RESULT, STORED, UNDER_WAY, until, WRITTEN } from "./lib/played-proxy.mjs";
import { chatOf } from "./lib/sdk-chat.mjs";

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
    const { lastAssistantMessageIsCompleteWithApprovalResponses, readUIMessageStream } = sdk;
    const Chat = chatOf(sdk);

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

    test("files are sent with the message, and the body names a model and instructions", async () => {
      const played = play();
      const files = [{ type: "file", mediaType: "image/png", filename: "sky.png", url: "data:image/png;base64,iVBORw==" }];
      const told = new Chat({ transport: new OutcropChatTransport({ client: chat(), model: "model-a", systemPrompt: "Be brief." }) });
      const ended = told.sendMessage({ text: "What is it?", files }, { body: { model: "model-b" } });
      const turn = await until(() => played.turns[0]);
      const { model, systemPrompt, attachments } = turn.request.data;
      assert.deepEqual([model, systemPrompt, attachments], ["model-b", "Be brief.", [{ name: "sky.png", mediaType: "image/png", data: "iVBORw==" }]]);
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

    test("an answer is made anew by its id, or the last one", async () => {
      const played = play({ history: { messages: STORED } });
      for (const messageId of ["msg_b", undefined]) {
        const told = over({ messages: toUIMessages(STORED) });
        const at = played.turns.length;
        const ended = told.regenerate({ messageId, body: { systemPrompt: "Be brief." } });
        const turn = await until(() => played.turns[at]);
        assert.deepEqual([turn.request.type, turn.request.data], ["chat.regenerate", { sessionId: "s", messageId: "msg_b", systemPrompt: "Be brief.", streaming: true }]);
        turn.text("Anew.");
        turn.complete();
        await ended;
        assert.deepEqual([told.messages.length, texts(told.lastMessage)], [2, [["text", "Anew."]]]);
      }
    });

    test("an answer whose question is not in the page is made anew by its id", async () => {
      const played = play();
      const told = over({ messages: toUIMessages(STORED.slice(1)) });
      const ended = told.regenerate({ messageId: "msg_b" });
      const turn = await until(() => played.turns[0]);
      assert.deepEqual([turn.request.type, turn.request.data.messageId], ["chat.regenerate", "msg_b"]);
      turn.complete();
      await ended;
    });

    test("a message takes the place of one of the conversation, of one that was sent from the page, and of itself again", async () => {
      const stored = STORED.slice();
      const played = play({ history: { messages: stored } });
      const told = over({ messages: toUIMessages(STORED) });
      const change = async (text, messageId) => {
        const { turn, ended } = await ask(told, played, { text, messageId });
        turn.complete();
        await ended;
        return turn.request;
      };
      const first = await change("Instead.", "msg_a");
      assert.deepEqual(first.data, { sessionId: "s", message: "Instead.", replaces: "msg_a", streaming: true });
      stored.splice(0, 2, { ...STORED[0], messageId: "msg_c", requestId: first.id });
      assert.equal((await change("Otherwise.", "msg_a")).data.replaces, "msg_c");
      const sent = await change("And now?");
      stored.push({ ...STORED[0], messageId: "msg_d", requestId: sent.id });
      assert.equal((await change("And then?", told.messages.at(-2).id)).data.replaces, "msg_d");
    });

    test("what the proxy never had is sent as it was, under its id; what it does not know is no message to change", async () => {
      const played = play({ history: { messages: STORED } });
      const told = over({ messages: toUIMessages(STORED) });
      const { turn, ended } = await ask(told, played);
      turn.socket.receive({ id: turn.request.id, type: "chat.error", data: { code: "rate_limited", message: "Too many.", retryable: true } });
      await ended;
      const again = told.regenerate();
      const next = await until(() => played.turns[1]);
      assert.deepEqual(next.request, turn.request);
      next.complete();
      await again;
      told.messages = [{ id: "foreign", role: "user", parts: [{ type: "text", text: "Hello" }] }];
      await told.sendMessage({ text: "Instead.", messageId: "foreign" });
      assert.match(told.error.message, /does not have this message/);
      assert.equal(played.turns.length, 2);
    });

    test("a question without an answer is asked in its own place, but not without its files", async () => {
      const [question] = STORED;
      const asked = { ...question, attachments: [{ name: "sky.png", mediaType: "image/png", bytes: 4 }] };
      const played = play({ history: { messages: [question] } });
      const told = over({ messages: toUIMessages([question]) });
      const ended = told.regenerate();
      const turn = await until(() => played.turns[0]);
      assert.deepEqual(turn.request.data, { sessionId: "s", message: "Weather?", replaces: "msg_a", streaming: true });
      turn.complete();
      await ended;
      play({ history: { messages: [asked] } });
      const without = over({ messages: toUIMessages([asked]) });
      await without.regenerate();
      assert.match(without.error.message, /with its files/);
    });

    test("a question far back is found", async () => {
      const later = Array.from({ length: 3 }, (_, at) => ({ ...STORED[0], messageId: `msg_later_${at}` }));
      const played = play({ history: ({ before }) => (before ? { messages: STORED.slice(0, 1) } : { messages: [STORED[1], ...later], hasMore: true }) });
      const told = over({ messages: toUIMessages([...STORED, ...later]) });
      const ended = told.regenerate({ messageId: "msg_b" });
      const turn = await until(() => played.turns[0]);
      assert.equal(turn.request.data.messageId, "msg_b");
      assert.deepEqual(played.frames.slice(0, 2).map(({ data }) => data.before), [undefined, "msg_b"]);
      turn.complete();
      await ended;
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
