import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { serve, USAGE } from "./fake-server.mjs";
import { chat, ChatError } from "./harness.mjs";

const cases = JSON.parse(readFileSync(new URL("../../../data/cost-golden.json", import.meta.url)));
const golden = (path) => JSON.parse(readFileSync(new URL(`../../../protocol/golden/${path}`, import.meta.url))).data;

const rejection = (promise) => promise.then(() => assert.fail("it was not rejected"), (error) => error);

test("a usage report sends what was asked for and gives the proxy's figures", async () => {
  const frames = [];
  const report = golden("server/chat.usage_response.json");
  serve((frame, socket) => {
    frames.push([frame.type, frame.data]);
    socket.receive({ id: frame.id, type: "chat.usage_response", data: report });
  });
  const client = chat();
  const query = golden("client/chat.get_usage.json");
  assert.deepEqual(await client.usageReport(query), report);
  assert.deepEqual(await client.usageReport({ groupBy: "day" }), report);
  assert.deepEqual(frames, [
    ["chat.get_usage", query],
    ["chat.get_usage", { groupBy: "day" }],
  ]);
});

test("a usage report that is refused is an error with the proxy's reason", async () => {
  serve((frame, socket) => socket.receive({ id: frame.id, type: "chat.error", data: { code: "forbidden", message: "Not yours.", retryable: false } }));
  const error = await rejection(chat().usageReport({ groupBy: "user" }));
  assert.ok(error instanceof ChatError);
  assert.deepEqual([error.code, error.message], ["forbidden", "Not yours."]);
});

async function connected() {
  serve();
  const client = chat();
  await client.connect();
  return client;
}

test("costs are those of the golden file, which the proxy's own tests read too", async () => {
  const client = await connected();
  assert.ok(cases.length > 30);
  for (const { name, model, price, usage, costNanoUsd } of cases) {
    assert.equal(client.costNanoUsd(price, usage) ?? null, costNanoUsd, `${name}: ${model}`);
  }
});

test("what is no price or no usage has no cost, instead of a wrong one", async () => {
  const client = await connected();
  const price = { input: 3e9, output: 15e9 };
  assert.equal(client.costNanoUsd(price, USAGE), 2_400_000);
  for (const [odd, usage] of [[{ ...price, input: NaN }, USAGE], [{ input: 1 }, USAGE], [price, { ...USAGE, inputTokens: -1 }], [price, "usage"]]) {
    assert.equal(client.costNanoUsd(odd, usage), undefined);
  }
});

test("a cost that is asked for before the module is loaded is refused, and not guessed", async () => {
  const { Worker } = await import("node:worker_threads");
  const url = new URL("../../pkg/index.js", import.meta.url).href;
  const worker = new Worker(
    `import(${JSON.stringify(url)}).then(({ ChatClient }) => {
      const { parentPort } = require("node:worker_threads");
      try {
        parentPort.postMessage(new ChatClient().costNanoUsd({ input: 1, output: 1 }, ${JSON.stringify(USAGE)}));
      } catch ({ code }) {
        parentPort.postMessage(code);
      }
    });`,
    { eval: true },
  );
  const said = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  assert.equal(said, "load_failed");
  await worker.terminate();
});
