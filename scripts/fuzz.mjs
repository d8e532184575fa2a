// `npm run fuzz -- [target…] [seconds]`: a long run of the targets named, or of all, one after the other, so many seconds each.
// What it finds on the way stays in target/outcrop/fuzz and is where the next run goes on. An input that fails is made smaller, put
// into fuzz/regressions, where `npm test -- fuzz` tries it each time, and makes the command fail.
//
// `npm run fuzz -- [target…] --keep` makes fuzz/corpus anew: of what is there and what runs found, few inputs that reach the same code.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Interrupted } from "./lib/children.mjs";
import { StepFailure } from "./lib/failures.mjs";
import { lastProgress, panicLines, readArguments, readStatistics } from "./lib/libfuzzer.mjs";
import { shown, STATE } from "./lib/paths.mjs";
import { Reporter } from "./lib/reporter.mjs";
import { Step } from "./lib/step.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { FOLDER, folders, fuzzTargets, LIMITS, program, smallest, TARGETS } from "./tasks/fuzz.mjs";

/** How long a target runs where nothing else is said. */
const DEFAULT_SECONDS = 120;

/** How long an input that fails is made smaller. */
const MINIMIZE_SECONDS = 20;

/** What a run is given beyond its time before it counts as stuck. */
const GRACE_MS = 60_000;

export async function main(args) {
  const { names, seconds, keep } = readArguments(args, Object.keys(TARGETS), DEFAULT_SECONDS);
  const reporter = new Reporter();
  await new TaskRunner({ reporter }).ensureOrStop(fuzzTargets);
  let failed = [];
  for (const name of names) {
    const step = new Step(`fuzz-${name}`, `fuzz ${name}`);
    reporter.started(step);
    try {
      const { ok, summary } = await (keep ? smallest(step, name, join(foundIn(name), "corpus")) : longRun(step, name, seconds));
      reporter.ended(step, ok ? "✓" : "✗", summary);
      if (!ok) failed = [...failed, { name, step }];
    } catch (error) {
      reporter.ended(step, error instanceof Interrupted ? "–" : "✗", error instanceof Interrupted ? lastProgress(step.tail) : "");
      throw error;
    } finally {
      await step.close();
    }
  }
  reporter.say(closing(names, failed, keep));
  return failed.length === 0 ? 0 : 1;
}

const foundIn = (name) => join(STATE, "fuzz", "long", name);

/** Runs one target. An input that fails ends it, and is no failure of the command before the other targets have run. */
async function longRun(step, name, seconds) {
  const found = foundIn(name);
  mkdirSync(join(found, "corpus"), { recursive: true });
  const before = new Set(failures(found));
  const args = [`-max_total_time=${seconds}`, `-max_len=${TARGETS[name].maxBytes}`, `-artifact_prefix=${found}/`, ...LIMITS];
  try {
    await step.run(program(name), [...args, join(found, "corpus"), ...folders(name)], { timeoutMs: seconds * 1_000 + GRACE_MS });
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const said = [panicLines(step.tail).join("\n  │ "), `whole output: ${shown(step.logPath)}`];
    const crashes = failures(found).filter((file) => !before.has(file));
    if (crashes.length === 0) throw error;
    const kept = [];
    for (const file of crashes) kept.push(await keepFailure(step, name, join(found, file)));
    return { ok: false, summary: [`fails on ${kept.map(shown).join(", ")}`, ...said].join("\n  │ ") };
  }
  // The tail may be the dictionary that libFuzzer recommends.
  await step.close();
  return { ok: true, summary: `${readStatistics(readFileSync(step.logPath, "utf8").split("\n"))} · no crash` };
}

/** The inputs in `folder` that made a target fail. */
function failures(folder) {
  return readdirSync(folder).filter((file) => /^(crash|oom|timeout|leak)-/.test(file));
}

/** Moves an input that fails to the regressions, made smaller if that goes quickly. */
async function keepFailure(step, name, file) {
  const kept = join(FOLDER, "regressions", name, basename(file));
  mkdirSync(join(FOLDER, "regressions", name), { recursive: true });
  const smaller = `${file}.smaller`;
  if (basename(file).startsWith("crash-")) {
    const args = ["-minimize_crash=1", `-max_total_time=${MINIMIZE_SECONDS}`, `-exact_artifact_path=${smaller}`, ...LIMITS];
    // It ends with an error where nothing smaller was found.
    await step.run(program(name), [...args, file], { timeoutMs: MINIMIZE_SECONDS * 1_000 + GRACE_MS }).catch(ifFailed);
  }
  renameSync(existsSync(smaller) ? smaller : file, kept);
  rmSync(file, { force: true });
  return kept;
}

function ifFailed(error) {
  if (!(error instanceof StepFailure)) throw error;
}

function closing(names, failed, keep) {
  if (keep) return `\nfuzz/corpus has what ${names.join(", ")} need. \`git status fuzz\` shows what has changed.`;
  if (failed.length === 0) return `\nNothing failed. \`npm run fuzz -- ${names.length === 1 ? `${names[0]} ` : ""}--keep\` puts what was found into fuzz/corpus.`;
  const again = failed.map(({ name }) => `  ${shown(program(name))} fuzz/regressions/${name}/*`);
  return [`\n${failed.map(({ name }) => name).join(", ")} failed. The input is in fuzz/regressions, and \`npm test -- fuzz\` fails with it until the bug is mended. To see it again:`, ...again].join("\n");
}
