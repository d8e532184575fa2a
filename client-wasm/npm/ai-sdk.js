// A ChatTransport for the Vercel AI SDK over a ChatClient. Types and their documentation are in ai-sdk.d.ts.
//
// The proxy holds the conversation: of the SDK's messages only the last one is sent.

const FINISH_REASONS = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  tool_limit: "tool-calls",
  content_filtered: "content-filter",
  guardrail_intervened: "content-filter",
};

export class OutcropChatTransport {
  #client;
  #options;
  /** Answers that wait for a person to decide about their tools, by conversation. */
  #waiting = new Map();

  /** An answer under way is given anew from its beginning. */
  resumeStreamIsReplay = true;

  constructor({ client, ...options }) {
    this.#client = client;
    this.#options = options;
  }

  async sendMessages({ trigger, chatId: sessionId, messageId, messages, abortSignal, body }) {
    const held = this.#waiting.get(sessionId);
    const message = messages.at(-1);
    if (trigger !== "regenerate-message" && message?.role === "assistant") return this.#decide(held, message, abortSignal);
    // Somebody who goes on instead of deciding has no use for the answer that waits.
    held?.stop.abort();
    this.#waiting.delete(sessionId);
    if (trigger === "regenerate-message") return this.#regenerate(sessionId, messageId, abortSignal);
    if (messageId) throw new Error("A message that was sent cannot be changed: the proxy keeps what it was sent. Send a new one.");
    const { model = this.#options.model } = body ?? {};
    const attachments = await Promise.all(message.parts.filter(({ type }) => type === "file").map(attachment));
    const request = { sessionId, message: textOf(message), ...(model && { model }), ...(attachments.length > 0 && { attachments }) };
    return this.#stream(sessionId, abortSignal, (signal) => this.#client.streamMessage(request, { signal }));
  }

  async reconnectToStream({ chatId: sessionId, abortSignal }) {
    const inProgress = await this.#client.history({ sessionId }).then(
      (history) => history.inProgress,
      (error) => {
        if (error.code !== "session_not_found") throw error;
      },
    );
    if (!inProgress) return null;
    const { message } = inProgress;
    const past = storedParts(message).map((part) => ({ ...asChunk(part), messageId: message.messageId }));
    return this.#stream(sessionId, abortSignal, (signal) => this.#client.followMessage({ sessionId, inProgress }, { signal }), past);
  }

  async #regenerate(sessionId, messageId, abortSignal) {
    if (!this.#client.regenerate) throw new Error("This version of @outcrop/client cannot have an answer made anew.");
    const { messages } = await this.#client.history({ sessionId });
    const answer = messages.findLast((stored) => stored.role === "assistant" && (!messageId || stored.messageId === messageId));
    if (!answer) throw new Error("There is no such answer in this conversation that could be made anew.");
    return this.#stream(sessionId, abortSignal, (signal) => this.#client.regenerate({ sessionId, messageId: answer.messageId }, { signal }));
  }

  /** Tells the proxy what a person decided, and goes on with the answer that waited for it. */
  async #decide(held, { id: messageId, parts }, abortSignal) {
    if (!held) throw new Error("No answer waits for a decision in this page. Resume the conversation first, with resumeStream().");
    for (const { state, toolCallId: toolUseId, approval } of parts) {
      if (state !== "approval-responded") continue;
      await this.#client.approveTool({ toolUseId, messageId, approved: approval.approved }).catch((error) => {
        // Somebody else was faster, or it took too long: the answer says what became of the call.
        if (error.code !== "invalid_request") throw error;
      });
    }
    this.#waiting.delete(held.sessionId);
    held.translation.continues();
    return this.#read(held, abortSignal);
  }

  #stream(sessionId, abortSignal, start, past = []) {
    const stop = new AbortController();
    const chunks = start(stop.signal);
    return this.#read({ sessionId, stop, chunks, past, translation: new Translation(sessionId) }, abortSignal);
  }

  #read(answer, abortSignal) {
    const { sessionId, stop, chunks, past, translation } = answer;
    const abort = () => stop.abort();
    if (abortSignal?.aborted) abort();
    abortSignal?.addEventListener("abort", abort, { once: true });
    const close = (controller) => {
      abortSignal?.removeEventListener("abort", abort);
      controller.close();
    };
    return new ReadableStream({
      pull: async (controller) => {
        for (let given = false; !given; ) {
          const { done, value } = past.length > 0 ? { value: past.shift() } : await chunks.next();
          if (done) return close(controller);
          for (const chunk of translation.of(value)) {
            controller.enqueue(chunk);
            given = true;
          }
          if (past.length > 0 || !translation.isWaiting) continue;
          for (const chunk of translation.pauses()) controller.enqueue(chunk);
          this.#waiting.set(sessionId, answer);
          return close(controller);
        }
      },
      cancel: () => void chunks.return(),
    });
  }
}

/** What the SDK is told of one answer. */
class Translation {
  #sessionId;
  #begun = false;
  /** The text or reasoning that is being written. */
  #open;
  #texts = 0;
  /** How far each call of a tool has come. */
  #calls = new Map();

  constructor(sessionId) {
    this.#sessionId = sessionId;
  }

  /** Whether nothing comes before a person has decided. */
  get isWaiting() {
    const states = [...this.#calls.values()].map(({ status }) => status);
    return states.includes("pending_approval") && !states.includes("preparing") && !states.includes("running");
  }

  /** The end of what is told before a person has decided. */
  *pauses() {
    yield* this.#close();
    yield { type: "finish-step" };
    yield { type: "finish", finishReason: "tool-calls" };
  }

  /** What comes is a part of the same message. */
  continues() {
    this.#begun = false;
  }

  *of({ messageId, ...chunk }) {
    if (!this.#begun) {
      this.#begun = true;
      yield { type: "start", ...(messageId && { messageId }), messageMetadata: { sessionId: this.#sessionId } };
      if (this.#calls.size === 0) yield { type: "start-step" };
    }
    if (chunk.type === "token") yield* this.#text("text", chunk.content);
    else if (chunk.type === "reasoning") yield* this.#text("reasoning", chunk.content);
    else if (chunk.type === "tool") yield* this.#tool(chunk.call);
    else if (chunk.type === "status") yield { type: "data-status", data: { state: chunk.state, retryInMs: chunk.retryInMs }, transient: true };
    else if (chunk.type === "done") yield* this.#done(chunk);
  }

  *#text(type, delta) {
    if (this.#open?.type !== type) {
      yield* this.#close();
      yield* this.#nextStep();
      this.#open = { type, id: `${type}-${++this.#texts}` };
      yield { type: `${type}-start`, id: this.#open.id };
    }
    yield { type: `${type}-delta`, id: this.#open.id, delta };
  }

  *#tool({ toolUseId: toolCallId, name: toolName, status, input, partialInput = "", result }) {
    yield* this.#close();
    const kind = { providerExecuted: true, dynamic: true };
    let call = this.#calls.get(toolCallId);
    if (!call) {
      if (status === "preparing") yield* this.#nextStep();
      this.#calls.set(toolCallId, (call = { status: "preparing", written: 0 }));
      yield { type: "tool-input-start", toolCallId, toolName, ...kind };
    }
    if (status === "preparing") {
      const inputTextDelta = partialInput.slice(call.written);
      call.written = partialInput.length;
      if (inputTextDelta) yield { type: "tool-input-delta", toolCallId, inputTextDelta };
      return;
    }
    const before = call.status;
    if (before === status) return;
    call.status = status;
    if (before === "preparing") yield { type: "tool-input-available", toolCallId, toolName, input, ...kind };
    if (status === "pending_approval") yield { type: "tool-approval-request", approvalId: toolCallId, toolCallId };
    else if (before === "pending_approval") yield { type: "tool-approval-response", approvalId: toolCallId, approved: status !== "denied" };
    if (status === "succeeded") yield { type: "tool-output-available", toolCallId, output: result ?? {}, ...kind };
    else if (status === "denied") yield { type: "tool-output-denied", toolCallId };
    else if (isOver(status)) yield { type: "tool-output-error", toolCallId, errorText: errorText(status, result), ...kind };
  }

  /** A step is one call of the model: the next one begins where tools have ended and the model goes on. */
  *#nextStep() {
    if (this.#calls.size === 0 || ![...this.#calls.values()].every(({ status }) => isOver(status))) return;
    this.#calls.clear();
    yield { type: "finish-step" };
    yield { type: "start-step" };
  }

  *#close() {
    if (this.#open) yield { type: `${this.#open.type}-end`, id: this.#open.id };
    this.#open = undefined;
  }

  *#done({ stopReason, usage }) {
    yield* this.#close();
    if (stopReason === "cancelled") yield { type: "abort" };
    yield { type: "finish-step" };
    const messageMetadata = { sessionId: this.#sessionId, stopReason, usage };
    yield { type: "finish", finishReason: FINISH_REASONS[stopReason] ?? "other", messageMetadata };
  }
}

export function toUIMessages(messages) {
  return messages.map((message) => {
    const { messageId: id, role, stopReason, usage, model, attachments, error } = message;
    const metadata = Object.fromEntries(Object.entries({ stopReason, usage, model, attachments, error }).filter(([, value]) => value !== undefined));
    return { id, role, metadata, parts: storedParts(message).map(uiPart) };
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

function uiPart({ type, text, toolUseId: toolCallId, name: toolName, status, input, result }) {
  if (type !== "tool_use") return { type, text, state: "done" };
  const part = { type: "dynamic-tool", toolCallId, toolName, input, providerExecuted: true };
  if (status === "succeeded") return { ...part, state: "output-available", output: result ?? {} };
  if (status === "pending_approval") return { ...part, state: "approval-requested", approval: { id: toolCallId } };
  if (status === "denied") return { ...part, state: "output-denied", approval: { id: toolCallId, approved: false } };
  if (isOver(status)) return { ...part, state: "output-error", errorText: errorText(status, result) };
  return { ...part, state: "input-available" };
}

function isOver(status) {
  return !["preparing", "pending_approval", "running"].includes(status);
}

function errorText(status, result) {
  return result?.text ?? (status === "unknown_outcome" ? "It is not known whether the tool did its work." : "The tool failed.");
}

function textOf({ parts }) {
  return parts.filter(({ type }) => type === "text").map(({ text }) => text).join("\n");
}

/** A file of the SDK's, which has a data URL or another address, as the client takes it. */
async function attachment({ url, mediaType, filename: name = "file" }) {
  const [head, data] = url.split(",", 2);
  if (/^data:.*;base64$/i.test(head)) return { name, mediaType, data };
  return new File([await (await fetch(url)).blob()], name, { type: mediaType });
}
