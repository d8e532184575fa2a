// The server of the page on TanStack AI: the page itself, and answers of Bedrock as server-sent events, framed by TanStack AI.
//
//   WWW (the page's folder), PORT, BEDROCK_ENDPOINT_URL, AWS_REGION and the SDK's usual credentials, from the environment

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { chatParamsFromRequestBody, toServerSentEventsResponse } from "@tanstack/ai";

const MODEL_ID = "anthropic.claude-3-5-sonnet-20241022-v2:0";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

const bedrock = new BedrockRuntimeClient({ endpoint: process.env.BEDROCK_ENDPOINT_URL });

createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/healthz") response.end();
  else if (pathname === "/api/chat") answer(request, response).catch((error) => response.destroy(error));
  else file(pathname === "/" ? "/index.html" : normalize(pathname), response);
}).listen(Number(process.env.PORT), "127.0.0.1");

function file(name, response) {
  const path = join(process.env.WWW, name);
  if (!existsSync(path)) return response.writeHead(404).end();
  const isCompressed = existsSync(`${path}.br`);
  const encoding = isCompressed ? { "content-encoding": "br" } : {};
  response.writeHead(200, { "content-type": TYPES[extname(path)], ...encoding }).end(readFileSync(isCompressed ? `${path}.br` : path));
}

async function answer(request, response) {
  const { messages, threadId, runId } = await chatParamsFromRequestBody(await json(request));
  const sse = toServerSentEventsResponse(events(messages, threadId, runId));
  response.writeHead(sse.status, Object.fromEntries(sse.headers));
  Readable.fromWeb(sse.body).pipe(response);
}

async function* events(messages, threadId, runId) {
  const { stream } = await bedrock.send(new ConverseStreamCommand({ modelId: MODEL_ID, messages: messages.map(toBedrock), inferenceConfig: { maxTokens: 4096 } }));
  const messageId = crypto.randomUUID();
  yield { type: "RUN_STARTED", threadId, runId };
  yield { type: "TEXT_MESSAGE_START", messageId, role: "assistant" };
  for await (const event of stream) {
    const delta = event.contentBlockDelta?.delta?.text;
    if (delta !== undefined) yield { type: "TEXT_MESSAGE_CONTENT", messageId, delta };
  }
  yield { type: "TEXT_MESSAGE_END", messageId };
  yield { type: "RUN_FINISHED", threadId, runId, finishReason: "stop" };
}

function toBedrock({ role, content, parts }) {
  const text = parts?.map((part) => (part.type === "text" ? part.content : "")).join("") ?? content;
  return { role, content: [{ text }] };
}
