import assert from "node:assert/strict";
import { test } from "node:test";
import { perThousand } from "../lib/page-tokens.mjs";
import { Lane } from "../lib/slow-wire.mjs";

test("a line passes one thing after the other at its rate", () => {
  const lane = new Lane(100);
  assert.equal(lane.pass(1_000, 0), 10);
  assert.equal(lane.pass(500, 2), 15);
  assert.equal(lane.bytes, 1_500);
});

test("a line that had nothing to pass is no faster afterwards", () => {
  const lane = new Lane(100);
  lane.pass(1_000, 0);
  assert.equal(lane.pass(1_000, 50), 60);
});

test("what answers took is given for 1,000 tokens", () => {
  assert.deepEqual(perThousand([{ task: 10, script: 4 }, { task: 20, script: 6 }], 200), { task: 75, script: 25 });
});
