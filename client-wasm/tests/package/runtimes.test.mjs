// The package outside of browsers: the example of a terminal gets an answer from a demo proxy in Node, Bun and Deno.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { ChatClient } from "../../pkg/node.js";
import { project } from "./lib/project.mjs";
import { startProxy } from "./lib/proxy.mjs";

const EXAMPLE = "../../../examples/node";

const RUNTIMES = [
  { name: "node", command: ["node"] },
  { name: "bun", command: ["bun"] },
  { name: "deno", command: ["deno", "run", "--allow-read", "--allow-net", "--allow-env"] },
];

for (const { name, command } of RUNTIMES) {
  test(`${name} streams an answer, and the program ends by itself`, async (t) => {
    const { run } = await project(name, EXAMPLE);
    const { ws } = await startProxy(t);
    const answer = await run("env", `OUTCROP_URL=${ws}`, ...command, "chat.mjs", "Hello");
    assert.match(answer, /I am the Bedrock emulator/);
  });
}

/** An address where nobody listens. */
async function nowhere() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return `ws://127.0.0.1:${port}/ws`;
}

test("a proxy that is not there does not end a program in Node: it is tried again", async () => {
  const client = new ChatClient({ url: await nowhere(), WebSocket });
  const attempts = [];
  await new Promise((twice) => {
    client.on("status", ({ state, attempt }) => {
      if (state === "reconnecting") attempts.push(attempt);
      if (attempts.length === 2) twice();
    });
    client.connect().catch(() => {});
  });
  client.close();
  assert.deepEqual(attempts, [1, 2]);
});
