// The package as scripts build it, with its module loaded from the file and a WebSocket that the test answers for.

import { existsSync, readFileSync } from "node:fs";
import { after, afterEach } from "node:test";
import { FakeWebSocket } from "./fake-server.mjs";

const PACKAGE = new URL("../../pkg/", import.meta.url);
if (!existsSync(new URL("index.js", PACKAGE))) throw new Error("client-wasm/pkg is not built; run `npm run build` first");

globalThis.WebSocket = FakeWebSocket;
const { default: load } = await import(new URL("outcrop_client.js", PACKAGE));
const { memory } = await load({ module_or_path: readFileSync(new URL("outcrop_client_bg.wasm", PACKAGE)) });
const { attachmentLimits, ChatClient, ChatError, readAttachments } = await import(new URL("index.js", PACKAGE));

export { attachmentLimits, ChatError, memory, readAttachments };

const clients = new Set();
afterEach(() => {
  for (const client of clients) client.close();
  clients.clear();
});
after(() => delete globalThis.WebSocket);

/** A client that is closed when the test ends. */
export function chat(options = {}) {
  const client = new ChatClient({ url: "ws://proxy.test/ws", delivery: "immediate", ...options });
  clients.add(client);
  return client;
}

/** Waits until `condition()` gives something, one macrotask after the other. */
export async function until(condition) {
  for (let turns = 0; turns < 1_000; turns += 1) {
    const value = condition();
    if (value) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`never: ${condition}`);
}

/** A promise to be settled from outside. */
export function deferred() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
