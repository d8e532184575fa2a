// Where the WebAssembly module comes from. It is loaded once in a process, so this file loads it as users do and not as the others.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FakeWebSocket, HELLO, serve, USAGE } from "./fake-server.mjs";

const PACKAGE = new URL("../../pkg/", import.meta.url);
const { ChatClient, ChatError } = await import(new URL("index.js", PACKAGE));

test("a module that cannot be loaded is told with its reason, and the next call tries again", async () => {
  serve();
  let tries = 0;
  const module = async () => {
    tries += 1;
    if (tries === 1) throw new Error("the disk is gone");
    return readFile(new URL("outcrop_client_bg.wasm", PACKAGE));
  };
  const client = new ChatClient({ url: "ws://proxy.test/ws", WebSocket: FakeWebSocket, module });
  const error = await client.connect().catch((error) => error);
  assert.ok(error instanceof ChatError);
  assert.deepEqual([error.code, error.retryable, error.cause.message], ["load_failed", true, "the disk is gone"]);
  assert.match(error.message, /the disk is gone.*is served, and call again/);
  assert.deepEqual(await client.connect(), HELLO);
  assert.equal(client.costNanoUsd({ input: 3e9, output: 15e9 }, USAGE), 2_400_000);
  client.close();

  const second = new ChatClient({ url: "ws://proxy.test/ws", WebSocket: FakeWebSocket, module });
  await second.connect();
  second.close();
  assert.equal(tries, 2);
});
