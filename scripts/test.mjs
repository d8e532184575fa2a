// `npm test`: every step of test-steps.mjs, going on after failures, one summary at the end. `npm test -- word…` runs the steps
// whose name contains a word; `npm test -- --list` names them.

import { readFileSync } from "node:fs";
import { Interrupted } from "./lib/children.mjs";
import { tally } from "./lib/counts.mjs";
import { Advice, StepFailure } from "./lib/failures.mjs";
import { duration, Reporter } from "./lib/reporter.mjs";
import { select } from "./lib/select.mjs";
import { Step } from "./lib/step.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { STEPS } from "./test-steps.mjs";

export async function main(args) {
  if (args.includes("--list")) {
    for (const { name, title } of STEPS) console.log(`${name.padEnd(NAME_WIDTH)} ${title}`);
    return 0;
  }
  const steps = select(STEPS, args);
  const reporter = new Reporter();
  const tasks = new TaskRunner({ reporter });
  await prepare(tasks, steps, reporter);
  const rows = [];
  for (const step of steps) rows.push(await runStep(step, tasks, reporter));
  return summarise(rows, reporter);
}

const NAME_WIDTH = 18;

/** Does everything that any step needs, two tasks at a time. Steps whose needs failed fail later, each by name. */
async function prepare(tasks, steps, reporter) {
  const needs = new Set(steps.flatMap((step) => step.needs));
  const results = await Promise.allSettled([...needs].map((task) => tasks.ensure(task)));
  const reasons = new Set(results.filter(({ status }) => status === "rejected").map(({ reason }) => reason));
  for (const reason of reasons) explain(reason, reporter);
}

async function runStep({ name, title, needs, count, run }, tasks, reporter) {
  try {
    await tasks.ensure(...needs);
  } catch {
    reporter.say(`✗ test ${name}: what it needs is missing, see above`);
    return { name, title, passed: 0, failed: 1, skipped: 0, tookMs: 0 };
  }
  const step = new Step(`test-${name}`, `test ${name}: ${title}`);
  reporter.started(step);
  const error = await run(step).then(() => null, (reason) => reason);
  await step.close();
  const result = tally(count, readFileSync(step.logPath, "utf8"), error === null);
  const tookMs = reporter.ended(step, result.failed === 0 ? "✓" : "✗", [counted(result), step.summary].filter(Boolean).join(" · "));
  if (error !== null) explain(error, reporter);
  else if (result.failed > 0) explain(step.failure("the runner reported no tests, or failures in spite of its exit code"), reporter);
  return { name, title, ...result, tookMs };
}

function explain(error, reporter) {
  if (error instanceof Interrupted) throw error;
  if (error instanceof StepFailure) reporter.say(error.describe());
  else if (error instanceof Advice) reporter.say(error.message);
  else reporter.say(error.stack);
}

function summarise(rows, reporter) {
  const total = (field) => rows.reduce((sum, row) => sum + row[field], 0);
  reporter.say("");
  for (const row of rows) {
    reporter.say(`${row.failed === 0 ? "✓" : "✗"} ${row.name.padEnd(NAME_WIDTH)} ${row.title.padEnd(36)} ${duration(row.tookMs).padStart(7)}  ${counted(row)}`);
  }
  reporter.say(`${"".padEnd(NAME_WIDTH + 2)} ${"all steps".padEnd(36)} ${duration(total("tookMs")).padStart(7)}`);
  reporter.say("");
  reporter.say(`${total("passed")} passed, ${total("failed")} failed`);
  return total("failed") === 0 ? 0 : 1;
}

function counted({ passed, failed, skipped }) {
  return `${passed} passed${failed > 0 ? `, ${failed} failed` : ""}${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
