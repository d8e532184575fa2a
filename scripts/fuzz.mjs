// `npm run fuzz -- [target…] [--minutes N]`: a long run of the targets named, or of all, N minutes each (10). What it finds on the way
// stays in target/outcrop/fuzz and is where the next run goes on; an input that fails is written there and named.
// `npm run fuzz -- [target…] --keep` puts what those runs found into fuzz/corpus, as few inputs as reach the same code.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { exitCode, startChild } from "./lib/children.mjs";
import { Advice } from "./lib/failures.mjs";
import { STATE } from "./lib/paths.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { FOLDER, folders, fuzzTargets, LIMITS, program, TARGETS } from "./tasks/fuzz.mjs";

const DEFAULT_MINUTES = 10;

export async function main(args) {
  const { names, minutes, keep } = read(args);
  await new TaskRunner().ensureOrStop(fuzzTargets);
  for (const name of names) {
    const code = await (keep ? keepFound(name) : longRun(name, minutes));
    if (code !== 0) return code;
  }
  return 0;
}

function longRun(name, minutes) {
  const found = join(STATE, "fuzz", "long", name);
  mkdirSync(join(found, "corpus"), { recursive: true });
  const args = [`-max_total_time=${Math.round(minutes * 60)}`, `-max_len=${TARGETS[name].maxBytes}`, `-artifact_prefix=${found}/`, ...LIMITS];
  console.log(`\n${name}: ${minutes} min; an input that fails goes to ${found}`);
  return exitCode(startChild(program(name), [...args, join(found, "corpus"), ...folders(name)], { stdio: "inherit" }));
}

function keepFound(name) {
  const [corpus, found] = [join(FOLDER, "corpus", name), join(STATE, "fuzz", "long", name, "corpus")];
  mkdirSync(corpus, { recursive: true });
  mkdirSync(found, { recursive: true });
  return exitCode(startChild(program(name), ["-merge=1", `-max_len=${TARGETS[name].maxBytes}`, corpus, found], { stdio: "inherit" }));
}

function read(args) {
  const names = [];
  let [minutes, keep] = [DEFAULT_MINUTES, false];
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === "--keep") keep = true;
    else if (args[at] === "--minutes") minutes = Number(args[(at += 1)]);
    else if (args[at] in TARGETS) names.push(args[at]);
    else throw new Advice(`npm run fuzz knows ${Object.keys(TARGETS).join(", ")}, --minutes N and --keep; not ${args[at]}.`);
  }
  if (!(minutes > 0)) throw new Advice("--minutes takes a number above 0.");
  return { names: names.length === 0 ? Object.keys(TARGETS) : names, minutes, keep };
}
