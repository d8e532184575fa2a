import assert from "node:assert/strict";
import { test } from "node:test";
import { READERS } from "../lib/counts.mjs";
import { STEPS } from "../test-steps.mjs";

test("every step has a name of its own, a title, tasks and a known reader", () => {
  assert.equal(new Set(STEPS.map(({ name }) => name)).size, STEPS.length);
  for (const step of STEPS) {
    assert.match(step.name, /^[a-z0-9-]+$/);
    assert.ok(step.title.length > 0, step.name);
    assert.ok(step.needs.every((task) => typeof task.id === "string" && typeof task.run === "function"), step.name);
    assert.ok(step.count === undefined || step.count in READERS, step.name);
    assert.equal(typeof step.run, "function", step.name);
  }
});
