// The reference: the chat server that one would write with `ws` and the AWS SDK for JavaScript, with the SDK's defaults.
// It speaks the four message types of Outcrop's protocol that any client needs.
//
//   PORT, BEDROCK_ENDPOINT_URL, BEDROCK_MODEL_ID, AWS_REGION and the SDK's usual credentials, from the environment

import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { WebSocketServer } from "ws";

const MODEL_ID = process.env.BEDROCK_MODEL_ID ?? "anthropic.claude-3-5-sonnet-20241022-v2:0";
const MAX_TOKENS = 4096;
const HISTORY_MESSAGES = 10;
const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_SESSIONS = 10_000;

const bedrock = new BedrockRuntimeClient({ endpoint: process.env.BEDROCK_ENDPOINT_URL });
const sessions = new Map();

const http = createServer((request, response) => {
  response.writeHead(request.url === "/healthz" ? 200 : 404).end();
});
const server = new WebSocketServer({ server: http, maxPayload: MAX_FRAME_BYTES });

server.on("connection", (socket) => {
  const running = new Set();
  socket.on("message", (bytes) => onMessage(socket, bytes, running));
  socket.on("close", () => running.forEach((turn) => turn.abort()));
  socket.on("error", (error) => console.error(error.message));
});

http.listen(Number(process.env.PORT ?? 3001), "127.0.0.1");

async function onMessage(socket, bytes, running) {
  let request;
  try {
    request = JSON.parse(bytes.toString());
  } catch {
    return send(socket, null, "chat.error", { code: "invalid_request", message: "not JSON", retryable: false });
  }
  const { id, type, data } = request;
  if (type !== "chat.send_message" || typeof data?.message !== "string") {
    return send(socket, id, "chat.error", { code: "invalid_request", message: `unknown type ${type}`, retryable: false });
  }
  const turn = new AbortController();
  running.add(turn);
  try {
    await (data.streaming ? stream(socket, id, data, turn.signal) : respond(socket, id, data, turn.signal));
  } catch (error) {
    send(socket, id, "chat.error", { code: "upstream_unavailable", message: error.message, retryable: false });
  } finally {
    running.delete(turn);
  }
}

async function stream(socket, id, data, abortSignal) {
  const { sessionId, history } = session(data);
  const messageId = randomUUID();
  const { stream: events } = await bedrock.send(new ConverseStreamCommand(input(data, history)), { abortSignal });
  let content = "";
  let usage;
  let stopReason;
  for await (const event of events) {
    if (event.contentBlockDelta?.delta?.text !== undefined) {
      const text = event.contentBlockDelta.delta.text;
      content += text;
      send(socket, id, "chat.message_stream", { sessionId, messageId, content: text });
    } else if (event.messageStop) {
      stopReason = event.messageStop.stopReason;
    } else if (event.metadata) {
      usage = event.metadata.usage;
    }
  }
  if (!usage) throw new Error("the stream ended before its usage came");
  remember(history, content);
  send(socket, id, "chat.message_complete", { sessionId, messageId, stopReason, usage: tokens(usage) });
}

async function respond(socket, id, data, abortSignal) {
  const { sessionId, history } = session(data);
  const { output, usage } = await bedrock.send(new ConverseCommand(input(data, history)), { abortSignal });
  const content = output.message.content.map((block) => block.text ?? "").join("");
  remember(history, content);
  const message = { messageId: randomUUID(), role: "assistant", content, timestamp: new Date().toISOString(), usage: tokens(usage) };
  send(socket, id, "chat.message_response", { sessionId, message });
}

function session({ sessionId = randomUUID(), message }) {
  if (!sessions.has(sessionId) && sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value);
  const history = sessions.get(sessionId) ?? [];
  sessions.set(sessionId, history);
  history.push({ role: "user", content: [{ text: message }] });
  return { sessionId, history };
}

function remember(history, content) {
  history.push({ role: "assistant", content: [{ text: content }] });
}

function input(data, history) {
  let messages = history.slice(-HISTORY_MESSAGES);
  while (messages[0].role !== "user") messages = messages.slice(1);
  return { modelId: data.model ?? MODEL_ID, messages, inferenceConfig: { maxTokens: MAX_TOKENS } };
}

function tokens({ inputTokens, outputTokens, totalTokens }) {
  return { inputTokens, outputTokens, totalTokens };
}

function send(socket, id, type, data) {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ id, type, data }));
}
