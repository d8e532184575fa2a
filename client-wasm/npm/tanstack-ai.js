// A connection of TanStack AI's chat over a ChatClient. Types and their documentation are in tanstack-ai.d.ts.
//
// The proxy holds the conversation: of TanStack's messages only the last one is sent.

/** Never "tool_calls": that would ask TanStack to go on by itself, and it is the proxy that does. */
const FINISH_REASONS = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  content_filtered: "content_filter",
  guardrail_intervened: "content_filter",
};

export function outcropConnection({ client, model }) {
  /** Messages that were sent: one that comes again is to be answered anew. */
  const sent = new Set();
  /** The conversation of each answer under way, and the answer of each call that waits for a person. */
  const runs = new Map();
  const answers = new Map();

  async function* told(chunks, threadId, runId) {
    const translation = new Translation(threadId, runId);
    yield { type: "RUN_STARTED", threadId, runId };
    try {
      for await (const chunk of chunks) {
        if (chunk.type === "tool") {
          if (chunk.call.status === "pending_approval") answers.set(chunk.call.toolUseId, chunk.messageId);
          else answers.delete(chunk.call.toolUseId);
        }
        yield* translation.of(chunk);
      }
    } catch (error) {
      yield* translation.failed(error);
    }
  }

  async function* regenerated(sessionId, request, signal) {
    const { messages } = await client.history({ sessionId });
    const last = messages.at(-1);
    if (last?.role !== "assistant") return yield* client.streamMessage(request, { signal });
    if (!client.regenerate) throw new Error("This version of @outcrop/client cannot have an answer made anew.");
    yield* client.regenerate({ sessionId, messageId: last.messageId }, { signal });
  }

  return {
    async *connect(messages, data, signal, { threadId, runId } = {}) {
      const message = messages.at(-1);
      if (message?.role !== "user") throw new Error("Only a message of a person is sent: the proxy runs tools itself and goes on by itself.");
      const chosen = data?.model ?? model;
      const attachments = contentOf(message).filter(({ type }) => type !== "text").map(attachment);
      const request = { sessionId: threadId, message: textOf(message), ...(chosen && { model: chosen }), ...(attachments.length > 0 && { attachments }) };
      const again = message.id !== undefined && sent.has(message.id);
      sent.add(message.id);
      yield* told(again ? regenerated(threadId, request, signal) : client.streamMessage(request, { signal }), threadId, runId ?? threadId);
    },

    async hydrate(threadId, { limit, before } = {}) {
      const query = { sessionId: threadId, ...(limit && { limit }), ...(before && { before }) };
      const { messages, inProgress, hasMore } = await client.history(query).catch((error) => {
        if (error.code === "session_not_found") return { messages: [], hasMore: false };
        throw error;
      });
      const runId = inProgress?.message.messageId;
      if (runId) runs.set(runId, threadId);
      const page = hasMore ? { truncated: true, cursor: messages[0].messageId } : { truncated: false };
      return { messages: toUIMessages(messages), activeRun: runId ? { runId } : null, interrupts: null, page };
    },

    async *joinRun(runId, signal) {
      const sessionId = runs.get(runId);
      const { inProgress } = sessionId ? await client.history({ sessionId }) : {};
      if (inProgress?.message.messageId !== runId) throw new Error("This answer has ended.");
      const past = storedParts(inProgress.message).map((part) => ({ ...asChunk(part), messageId: runId }));
      async function* whole() {
        yield* past;
        yield* client.followMessage({ sessionId, inProgress }, { signal });
      }
      yield* told(whole(), sessionId, runId);
    },

    async approveTool(toolUseId, approved) {
      const messageId = answers.get(toolUseId);
      await client.approveTool({ toolUseId, approved, ...(messageId && { messageId }) });
    },
  };
}

/** The events of AG-UI that tell one answer. */
class Translation {
  #run;
  #messageId;
  /** The text or reasoning that is being written: its kind, and its id where it has one of its own. */
  #open;
  #thoughts = 0;
  #calls = new Map();

  constructor(threadId, runId) {
    this.#run = { threadId, runId };
  }

  *of(chunk) {
    if (!this.#messageId && chunk.messageId) yield* this.#begin(chunk.messageId);
    if (chunk.type === "token") yield* this.#text(chunk.content);
    else if (chunk.type === "reasoning") yield* this.#reasoning(chunk.content);
    else if (chunk.type === "tool") yield* this.#tool(chunk.call);
    else if (chunk.type === "status") yield { type: "CUSTOM", name: "outcrop.status", value: { state: chunk.state, retryInMs: chunk.retryInMs } };
    else if (chunk.type === "done") yield* this.#done(chunk);
  }

  *failed(error) {
    yield* this.#close();
    const { message = String(error), code, retryable, retryAfterMs } = error ?? {};
    yield { type: "RUN_ERROR", ...this.#run, message, ...(code && { code }), rawEvent: { retryable, retryAfterMs } };
  }

  *#begin(messageId) {
    this.#messageId = messageId;
    yield* this.#startText();
  }

  *#startText() {
    this.#open = { kind: "TEXT", messageId: this.#messageId };
    yield { type: "TEXT_MESSAGE_START", messageId: this.#messageId, role: "assistant" };
  }

  *#text(delta) {
    if (this.#open?.kind !== "TEXT") {
      yield* this.#close();
      yield* this.#startText();
    }
    yield { type: "TEXT_MESSAGE_CONTENT", messageId: this.#messageId, delta };
  }

  *#reasoning(delta) {
    if (this.#open?.kind !== "REASONING") {
      yield* this.#close();
      const messageId = `${this.#messageId}-reasoning-${++this.#thoughts}`;
      this.#open = { kind: "REASONING", messageId };
      // TanStack keeps thoughts apart by steps.
      yield { type: "STEP_STARTED", stepName: messageId };
      yield { type: "REASONING_START", messageId };
      yield { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" };
    }
    yield { type: "REASONING_MESSAGE_CONTENT", messageId: this.#open.messageId, delta };
  }

  *#tool({ toolUseId: toolCallId, name: toolCallName, status, input, partialInput = "", result }) {
    yield* this.#close();
    let call = this.#calls.get(toolCallId);
    if (!call) {
      this.#calls.set(toolCallId, (call = { status: "preparing", written: 0 }));
      const metadata = { providerExecuted: true };
      yield { type: "TOOL_CALL_START", toolCallId, toolCallName, toolName: toolCallName, parentMessageId: this.#messageId, metadata };
    }
    if (status === "preparing") {
      const delta = partialInput.slice(call.written);
      call.written = partialInput.length;
      if (delta) yield { type: "TOOL_CALL_ARGS", toolCallId, delta };
      return;
    }
    const before = call.status;
    if (before === status) return;
    call.status = status;
    if (before === "preparing") yield { type: "TOOL_CALL_END", toolCallId, input };
    if (status === "pending_approval") {
      const value = { toolCallId, toolName: toolCallName, input, approval: { id: toolCallId, needsApproval: true } };
      yield { type: "CUSTOM", name: "approval-requested", value };
    } else if (status !== "running") {
      const error = status === "succeeded" ? {} : { metadata: { tanstack: { state: "output-error" } } };
      yield { type: "TOOL_CALL_RESULT", messageId: this.#messageId, toolCallId, role: "tool", content: outputOf(status, result), ...error };
    }
  }

  *#close() {
    const { kind, messageId } = this.#open ?? {};
    this.#open = undefined;
    if (kind === "TEXT") yield { type: "TEXT_MESSAGE_END", messageId };
    if (kind !== "REASONING") return;
    yield { type: "REASONING_MESSAGE_END", messageId };
    yield { type: "REASONING_END", messageId };
    yield { type: "STEP_FINISHED", stepName: messageId };
  }

  *#done({ stopReason, usage }) {
    yield* this.#close();
    const { inputTokens, cacheReadInputTokens, cacheWriteInputTokens, outputTokens, totalTokens, costNanoUsd } = usage;
    const tokens = { promptTokens: inputTokens + cacheReadInputTokens + cacheWriteInputTokens, completionTokens: outputTokens, totalTokens };
    const told = { ...tokens, ...(costNanoUsd !== undefined && { cost: costNanoUsd / 1e9 }) };
    const metadata = { outcrop: { stopReason, usage } };
    yield { type: "RUN_FINISHED", ...this.#run, finishReason: FINISH_REASONS[stopReason] ?? "stop", usage: told, metadata };
  }
}

export function toUIMessages(messages) {
  return messages.map((message) => {
    const { messageId: id, role, timestamp, stopReason, usage, model, attachments, error } = message;
    const metadata = { outcrop: { stopReason, usage, model, attachments, error } };
    return { id, role, createdAt: new Date(timestamp), metadata, parts: storedParts(message).flatMap(uiParts) };
  });
}

/** The parts of a stored message: one that is a text and nothing else has none. */
function storedParts({ parts, content }) {
  return parts ?? (content ? [{ type: "text", text: content }] : []);
}

function asChunk({ type, text, ...call }) {
  if (type === "tool_use") return { type: "tool", call };
  return { type: type === "reasoning" ? type : "token", content: text };
}

function uiParts({ type, text, toolUseId: id, name, status, input, result }, at) {
  if (type === "text") return { type, content: text };
  if (type === "reasoning") return { type: "thinking", content: text, stepId: `reasoning-${at}` };
  const call = { type: "tool-call", id, name, arguments: JSON.stringify(input), input, metadata: { providerExecuted: true } };
  if (status === "pending_approval") return { ...call, state: "approval-requested", approval: { id, needsApproval: true } };
  if (status === "running" || status === "preparing") return { ...call, state: "input-complete" };
  const content = outputOf(status, result);
  const state = status === "succeeded" ? "complete" : "error";
  return [{ ...call, state, output: content }, { type: "tool-result", toolCallId: id, content, state, ...(state === "error" && { error: content }) }];
}

function outputOf(status, result) {
  if (result?.text !== undefined) return result.text;
  return { succeeded: "", denied: "The call was denied.", unknown_outcome: "It is not known whether the tool did its work." }[status] ?? "The tool failed.";
}

function contentOf({ parts, content }) {
  return parts ?? (typeof content === "string" ? [{ type: "text", content }] : (content ?? []));
}

function textOf(message) {
  return contentOf(message).filter(({ type }) => type === "text").map(({ content }) => content).join("\n");
}

function attachment({ type, source, metadata }, at) {
  const [head, base64] = source.type === "url" ? source.value.split(",", 2) : ["", source.value];
  if (base64 === undefined) throw new Error(`File ${at + 1} is an address: only files with their data are sent.`);
  const mediaType = source.mimeType ?? head.slice("data:".length).split(";")[0];
  return { name: metadata?.name ?? `${type} ${at + 1}`, mediaType, data: base64 };
}
