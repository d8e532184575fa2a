import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { StepFailure } from "../lib/failures.mjs";
import { Step } from "../lib/step.mjs";

async function withStep(use) {
  const step = new Step("self-test", "self test");
  try {
    return await use(step);
  } finally {
    await step.close();
  }
}

test("a program's output goes to the log and its standard output is returned", async () => {
  const step = new Step("self-test", "self test");
  const printed = await step.run("node", ["-e", "console.log('one'); console.error('two')"]);
  await step.close();
  assert.equal(printed, "one");
  const log = readFileSync(step.logPath, "utf8");
  assert.match(log, /^one$/m);
  assert.match(log, /^two$/m);
});

test("a failure names the program, its code and the end of its output", async () => {
  await withStep(async (step) => {
    const program = "for (let i = 0; i < 100; i++) console.log('line ' + i); process.exitCode = 3";
    await assert.rejects(step.run("node", ["-e", program]), (error) => {
      assert.ok(error instanceof StepFailure);
      assert.match(error.describe(), /self test: node ended with code 3/);
      assert.match(error.describe(), /line 99/);
      assert.doesNotMatch(error.describe(), /line 5\b/);
      return true;
    });
  });
});

test("a program that does not exist and one that takes too long are failures, not crashes", async () => {
  await withStep(async (step) => {
    await assert.rejects(step.run("outcrop-no-such-program", []), /cannot be started \(ENOENT\)/);
    await assert.rejects(step.run("node", ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: 200 }), /was not done after 0.2 s/);
  });
});

test("undefined removes a variable from a program's environment", async () => {
  process.env.OUTCROP_SELF_TEST = "here";
  const printed = await withStep((step) => step.run("node", ["-p", "process.env.OUTCROP_SELF_TEST"], { env: { OUTCROP_SELF_TEST: undefined } }));
  assert.equal(printed, "undefined");
});
