import assert from "node:assert/strict";
import { test } from "node:test";
import { tally } from "../lib/counts.mjs";

const CASES = [
  ["cargo", "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured\ntest result: FAILED. 3 passed; 1 failed; 0 ignored", { passed: 5, failed: 1, skipped: 1 }],
  ["nextest", "     Summary [   1.203s] 25 tests run: 22 passed (1 slow), 2 failed, 1 timed out, 2 skipped", { passed: 22, failed: 3, skipped: 2 }],
  ["nodeTest", "ℹ tests 4\nℹ pass 3\nℹ fail 0\nℹ cancelled 1\nℹ skipped 0\nℹ todo 0", { passed: 3, failed: 1, skipped: 0 }],
  ["nodeTest", "# tests 2\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0", { passed: 2, failed: 0, skipped: 0 }],
  ["playwright", "  1 flaky\n    [x] › a.spec.ts\n  2 skipped\n  12 passed (30.1s)", { passed: 12, failed: 1, skipped: 2 }],
  ["pytest", "===== 1 failed, 3 passed, 2 skipped in 0.31s =====", { passed: 3, failed: 1, skipped: 2 }],
  ["pytest", "7 passed in 12.00s", { passed: 7, failed: 0, skipped: 0 }],
  ["vitest", " Test Files  2 passed (2)\n      Tests  1 failed | 10 passed | 2 skipped (13)", { passed: 10, failed: 1, skipped: 2 }],
  ["vitest", "\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[32m8 passed\u001b[39m\u001b[22m (8)", { passed: 8, failed: 0, skipped: 0 }],
];

for (const [reader, output, expected] of CASES) {
  test(`${reader} is read: ${output.trim().split("\n").at(-1).trim()}`, () => {
    assert.deepEqual(tally(reader, output, expected.failed === 0), expected);
  });
}

test("a step without a runner is one test", () => {
  assert.deepEqual(tally(undefined, "", true), { passed: 1, failed: 0, skipped: 0 });
  assert.deepEqual(tally(undefined, "", false), { passed: 0, failed: 1, skipped: 0 });
});

test("a runner that ran nothing fails, whatever its exit code", () => {
  for (const reader of ["cargo", "nextest", "nodeTest", "playwright", "pytest", "vitest"]) {
    assert.equal(tally(reader, "nothing to see", true).failed, 1, reader);
  }
  assert.equal(tally("cargo", "test result: ok. 0 passed; 0 failed; 4 ignored;", true).failed, 1);
});

test("a bad exit code fails even when all tests passed", () => {
  assert.deepEqual(tally("pytest", "3 passed in 0.10s", false), { passed: 3, failed: 1, skipped: 0 });
});
