import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Stamps } from "../lib/stamp.mjs";
import { TaskRunner } from "../lib/task-runner.mjs";

let root;
let said;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "outcrop-tasks-"));
  writeFileSync(join(root, "input"), "1");
  said = [];
});
afterEach(() => rmSync(root, { recursive: true }));

function runner() {
  const reporter = {
    started: ({ title }) => said.push(`start ${title}`),
    ended: ({ title }, mark) => said.push(`${mark} ${title}`),
    skipped: (title) => said.push(`skip ${title}`),
  };
  const makeStep = (id, title) => ({ id, title, close: async () => {} });
  return new TaskRunner({ reporter, root, makeStep, stamps: new Stamps(join(root, "stamps")) });
}

const task = (id, more = {}) => ({ id, title: id, run: async () => {}, ...more });

test("a task runs once, after what it needs", async () => {
  const base = task("base");
  const left = task("left", { needs: [base] });
  const right = task("right", { needs: [base] });
  await runner().ensure(left, right);
  assert.deepEqual(said.slice(0, 2), ["start base", "✓ base"]);
  assert.equal(said.filter((line) => line === "start base").length, 1);
});

test("at most two tasks run at the same time", async () => {
  let running = 0;
  let most = 0;
  const run = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resume) => setImmediate(resume));
    running -= 1;
  };
  await runner().ensure(...["a", "b", "c", "d"].map((id) => task(id, { run })));
  assert.equal(most, 2);
});

test("a task is skipped until its inputs change", async () => {
  const stamped = task("stamped", { inputs: () => ({ files: ["input"] }) });
  await runner().ensure(stamped);
  await runner().ensure(stamped);
  writeFileSync(join(root, "input"), "2");
  await runner().ensure(stamped);
  assert.deepEqual(said, ["start stamped", "✓ stamped", "skip stamped", "start stamped", "✓ stamped"]);
});

test("a task whose input changed while it ran runs again", async () => {
  const racing = task("racing", { inputs: () => ({ files: ["input"] }), run: async () => writeFileSync(join(root, "input"), "2") });
  await runner().ensure(racing);
  await runner().ensure(racing);
  assert.equal(said.filter((line) => line === "start racing").length, 2);
});

test("a failed task stops what needs it and runs again the next time", async () => {
  let broken = true;
  const base = task("base", {
    inputs: () => ({ files: ["input"] }),
    run: async () => {
      if (broken) throw new Error("broken");
    },
  });
  const after = task("after", { needs: [base] });
  await assert.rejects(runner().ensure(after), /broken/);
  assert.deepEqual(said, ["start base", "✗ base"]);
  broken = false;
  await runner().ensure(after);
  assert.deepEqual(said.slice(2), ["start base", "✓ base", "start after", "✓ after"]);
});
