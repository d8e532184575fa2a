// A WebSocket that a test answers for, in place of the browser's.

/** All sockets that were opened, the latest last. */
export class FakeWebSocket {
  static all = [];
  static onOpen = () => {};

  sent = [];
  closedWith;
  onopen = null;
  onmessage = null;
  onclose = null;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    FakeWebSocket.all.push(this);
    queueMicrotask(() => FakeWebSocket.onOpen(this));
  }

  send(text) {
    const frame = JSON.parse(text);
    this.sent.push(frame);
    // A browser never calls back from within send().
    queueMicrotask(() => this.onsend?.(frame));
  }

  close(code) {
    this.closedWith = code ?? 1000;
  }

  // What the other side does.

  open() {
    this.onopen?.({ type: "open" });
  }

  receive(frame) {
    this.onmessage?.({ type: "message", data: JSON.stringify(frame) });
  }

  drop(code, reason = "") {
    this.onclose?.({ type: "close", code, reason });
  }
}

export const HELLO = {
  version: 1,
  principal: { user: "local", organization: "local", role: "operator" },
  demo: true,
  limits: { maxFrameBytes: 1048576, maxMessageChars: 100000, maxParallelTurns: 4, maxSystemPromptChars: 8000 },
  models: [{ model: "model-a", default: true }],
  priceVersion: "2026-11-23",
  tools: [],
};

export const USAGE = {
  inputTokens: 50,
  outputTokens: 150,
  totalTokens: 200,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  source: "reported",
  costNanoUsd: 2400000,
  priceVersion: "2026-11-23",
};

/** Answers hellos, with `more` in them, and every other frame with `answer(frame, socket)`. */
export function serve(answer = () => {}, more = {}) {
  FakeWebSocket.all = [];
  FakeWebSocket.onOpen = (socket) => {
    socket.onsend = (frame) => {
      if (frame.type === "client.hello") socket.receive({ id: frame.id, type: "server.hello", data: { ...HELLO, ...more } });
      else answer(frame, socket);
    };
    socket.open();
  };
}

/** The frames of one streamed answer, from the one after `seq`. */
export class Turn {
  #seq;

  constructor(socket, request, messageId = "msg_1", sessionId = request.data.sessionId ?? "session_1", seq = 0) {
    Object.assign(this, { socket, request, messageId, sessionId });
    this.#seq = seq;
  }

  text(content, part = 0) {
    this.#event("chat.message_stream", { part, content });
  }

  reasoning(content, part = 0) {
    this.#event("chat.reasoning_stream", { part, content });
  }

  tool(call) {
    this.#event("chat.tool_use", call);
  }

  input(part, content) {
    this.#event("chat.tool_input_stream", { part, content });
  }

  complete(stopReason = "end_turn", usage = USAGE) {
    this.#event("chat.message_complete", { stopReason, usage });
  }

  fail(error) {
    this.#event("chat.error", { retryable: true, ...error });
  }

  #event(type, data) {
    const { sessionId, messageId } = this;
    this.#seq += 1;
    this.socket.receive({ id: this.request.id, type, data: { sessionId, messageId, first: this.#seq, seq: this.#seq, ...data } });
  }
}
