// The package outside of browsers: the example of a terminal gets an answer from a demo proxy in Node, Bun and Deno.

import assert from "node:assert/strict";
import { test } from "node:test";
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
