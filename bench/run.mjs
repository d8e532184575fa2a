// `npm run bench`: Outcrop beside a Node server that does the same, and a page on it beside one on TanStack AI, in one run.
//
//   --only a,b     only these measurements (cpu-burst, paced, turns, store, syscalls, instructions, memory, size, assemble, page)
//   --quick        short runs, one of each: to see that all works, not to compare
//   --json FILE    all samples
//   --write        docs/benchmarks.md

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stopAll } from "./lib/children.mjs";
import { machine } from "./lib/machine.mjs";
import { company } from "./lib/process.mjs";
import { prepare, ROOT, startEmulator } from "./lib/programs.mjs";
import { page, rows, table } from "./lib/report.mjs";
import * as assemble from "./measures/assemble.mjs";
import * as cpuBurst from "./measures/cpu-burst.mjs";
import * as instructions from "./measures/instructions.mjs";
import * as memory from "./measures/memory.mjs";
import * as chatPage from "./measures/page.mjs";
import * as paced from "./measures/paced.mjs";
import * as size from "./measures/size.mjs";
import * as store from "./measures/store.mjs";
import * as syscalls from "./measures/syscalls.mjs";
import * as turns from "./measures/turns.mjs";

const MEASURES = [cpuBurst, paced, turns, store, syscalls, instructions, memory, size, assemble, chatPage];
const PAGE = join(ROOT, "docs", "benchmarks.md");
/** The whole run; nothing is left running after it. */
const LIMIT_MS = 25 * 60_000;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => stopAll().finally(() => process.exit(130)));
}
const limit = setTimeout(() => fail(new Error(`not done after ${LIMIT_MS / 60_000} minutes`)), LIMIT_MS);
main().then(() => clearTimeout(limit), fail);

async function main() {
  const { values: options } = parseArgs({ options: { only: { type: "string" }, quick: { type: "boolean", default: false }, json: { type: "string" }, write: { type: "boolean", default: false } } });
  const chosen = choose(options.only?.split(","));
  if (options.write && (options.quick || options.only)) throw new Error("--write needs the whole run: leave out --quick and --only");
  const about = machine();
  prepare();
  const emulator = await startEmulator();
  const results = {};
  const notes = [];
  for (const [index, measure] of chosen.entries()) {
    const started = performance.now();
    process.stdout.write(`[${index + 1}/${chosen.length}] ${measure.name} … `);
    const note = (text) => notes.push({ name: measure.name, text });
    const measuring = () => measure.measure({ emulator, quick: options.quick, note });
    const { result, othersShare, stolenShare } = await company([emulator.child.pid], measuring);
    Object.assign(results, result);
    const during = `other programs used ${percent(othersShare)} of the machine, its host withheld ${percent(stolenShare)}`;
    console.log(`${((performance.now() - started) / 1_000).toFixed(1)} s; ${during}`);
  }
  await stopAll();
  const figures = rows(results);
  console.log(`\n${table(figures)}\n`);
  for (const { name, text } of notes) console.log(`${name}: ${text}`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine: about, figures, results, notes }, null, 2)}\n`);
  if (options.write) writeFileSync(PAGE, page(figures, { machine: about, how: chosen, notes }));
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`;
}

function choose(names) {
  if (!names) return MEASURES;
  const unknown = names.find((name) => !MEASURES.some((measure) => measure.name === name));
  if (unknown !== undefined) throw new Error(`no measurement ${unknown}; there are ${MEASURES.map((measure) => measure.name).join(", ")}`);
  return MEASURES.filter((measure) => names.includes(measure.name));
}

function fail(error) {
  console.error(`\nbench: ${error.message}`);
  stopAll().finally(() => process.exit(1));
}
