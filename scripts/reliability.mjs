// `npm run reliability`: every part of what docs/reliability.md promises, and the table of figures in it. Fails if a part fails or
// says nothing. `npm run reliability -- part…` runs those parts alone and leaves the page as it is.
//
// A part that is a Rust test prints lines of figures that start with its prefix; one that is a step of `npm test` is counted.

import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { tally } from "./lib/counts.mjs";
import { Advice } from "./lib/failures.mjs";
import { figureLines, withTable } from "./lib/figures.mjs";
import { ROOT, TARGET } from "./lib/paths.mjs";
import { Reporter } from "./lib/reporter.mjs";
import { select } from "./lib/select.mjs";
import { Step } from "./lib/step.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { rust } from "./tasks/rust.mjs";
import { STEPS } from "./test-steps.mjs";

const PAGE = join(ROOT, "docs", "reliability.md");

const PARTS = [
  rustTest("simulation", "both ends on virtual time", ["--test", "simulation"]),
  rustTest("cuts", "real sockets cut at random bytes", ["--test", "cuts"]),
  rustTest("matrix", "every upstream fault at every moment", ["--test", "matrix"], { prefix: "fault matrix:" }),
  rustTest("kill", "the process killed under load", ["--test", "kill"]),
  rustTest("abuse", "clients that misbehave", ["--test", "cli", "abuse::"], { env: { OUTCROP_ABUSE_ROUNDS: process.env.OUTCROP_ABUSE_ROUNDS ?? "3" } }),
  testStep("e2e", "the page in a real browser"),
  testStep("fuzz", "hostile input"),
];

export async function main(args) {
  const parts = select(PARTS, args);
  const reporter = new Reporter();
  await new TaskRunner({ reporter }).ensureOrStop(...new Set(parts.flatMap((part) => part.needs())));
  const rows = [];
  for (const part of parts) {
    const step = new Step(`reliability-${part.name}`, `${part.name}: ${part.title}`);
    reporter.started(step);
    try {
      const figures = await part.run(step);
      rows.push(...figures.map((figure) => ({ figure, command: part.command })));
      reporter.ended(step, "✓");
      for (const figure of figures) reporter.say(`  ${figure}`);
    } catch (error) {
      reporter.ended(step, "✗");
      throw error;
    } finally {
      await step.close();
    }
  }
  if (args.length === 0) writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), rows, machine()));
  return 0;
}

/** Rust tests, in release and one after the other, so that they do not disturb each other. */
function rustTest(name, title, filter, { prefix = `${name}:`, env = {} } = {}) {
  const cargo = ["test", "--release", "-p", "outcrop-proxy", ...filter, "--", "--nocapture", "--test-threads=1"];
  const settings = Object.entries(env).map(([key, value]) => `${key}=${value} `).join("");
  return {
    name,
    title,
    command: `${settings}cargo ${cargo.join(" ")}`,
    needs: () => [rust],
    async run(step) {
      const figures = figureLines(await step.run("cargo", cargo, { env: { CARGO_TARGET_DIR: TARGET, ...env } }), prefix);
      if (figures.length === 0) throw step.failure(`no line of figures starts with "${prefix}"`);
      return figures;
    },
  };
}

/** A step of `npm test`. */
function testStep(name, title) {
  const row = () => STEPS.find((step) => step.name === name) ?? missing(name);
  return {
    name,
    title,
    command: `npm test -- ${name}`,
    needs: () => row().needs,
    async run(step) {
      await row().run(step);
      await new Promise((done) => step.log.write("", done));
      const { passed, failed, skipped } = tally(row().count, readFileSync(step.logPath, "utf8"), true);
      if (failed + skipped > 0) throw step.failure(`${failed} failed, ${skipped} skipped`);
      return [`${name}: ${passed} tests passed (${title})`];
    },
  };
}

function missing(name) {
  throw new Advice(`npm test has no step "${name}" (scripts/test-steps.mjs), and reliability needs it.`);
}

function machine() {
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB`;
}
