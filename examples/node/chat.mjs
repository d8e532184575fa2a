// An answer in the terminal, as it is made: node chat.mjs "What is an outcrop?"
//
// OUTCROP_URL says where the proxy is, OUTCROP_TOKEN signs in where it asks for that. Ctrl-C stops the answer.

import { ChatClient, ChatError } from "@outcrop/client";

// Node 22, Deno and Bun have a WebSocket of their own.
const { WebSocket = (await import("ws")).WebSocket } = globalThis;

const { OUTCROP_URL: url = "ws://127.0.0.1:3001/ws", OUTCROP_TOKEN } = process.env;
const message = process.argv.slice(2).join(" ") || "What is an outcrop?";

const client = new ChatClient({ url, token: () => OUTCROP_TOKEN, WebSocket });
client.on("status", ({ state, reason }) => {
  if (state === "reconnecting") console.error(`${reason}; trying again`);
});

const stop = new AbortController();
// Whoever reads has had enough, as `head` has.
process.stdout.on("error", ({ code }) => process.exit(code === "EPIPE" ? 0 : 1));
process.once("SIGINT", () => stop.abort());

try {
  for await (const chunk of client.streamMessage({ message }, { signal: stop.signal })) {
    if (chunk.type === "token") process.stdout.write(chunk.content);
    else if (chunk.type === "tool") console.error(`[${chunk.call.name}: ${chunk.call.status}]`);
    else if (chunk.type === "done") console.error(`\n(${chunk.stopReason}, ${chunk.usage.totalTokens} tokens)`);
  }
} catch (error) {
  if (!(error instanceof ChatError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  client.close();
}
