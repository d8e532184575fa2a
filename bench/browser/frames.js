// The frames that a proxy sends, as text.

const TOKEN = " word";
const SESSION = "bench-session";
const MESSAGE = "bench-message";

/** The text of an answer of so many tokens. */
export function text(tokens) {
  return TOKEN.repeat(tokens);
}

/** The greeting that answers `client.hello`. */
export function hello(id) {
  return frame(id, "server.hello", HELLO);
}

/** One frame a token, and the end. */
export function answer(id, tokens) {
  const frames = [];
  for (let seq = 1; seq <= tokens; seq += 1) {
    frames.push(frame(id, "chat.message_stream", { sessionId: SESSION, messageId: MESSAGE, part: 0, first: seq, seq, content: TOKEN }));
  }
  const usage = { inputTokens: 3, outputTokens: tokens, totalTokens: tokens + 3, cacheReadInputTokens: 0, cacheWriteInputTokens: 0, source: "reported" };
  frames.push(frame(id, "chat.message_complete", { sessionId: SESSION, messageId: MESSAGE, seq: tokens + 1, stopReason: "end_turn", usage }));
  return frames;
}

/** Replaced by the server of this page with the golden greeting of the protocol. */
const HELLO = /* HELLO */ {};

function frame(id, type, data) {
  return JSON.stringify({ id, type, data });
}
