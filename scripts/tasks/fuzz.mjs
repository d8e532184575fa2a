// The fuzz targets: built by plain cargo, with the counters that libFuzzer reads in our own crates, and run.

import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Advice } from "../lib/failures.mjs";
import { ROOT, STATE, TARGET } from "../lib/paths.mjs";
import { installDebianPackages, isDebianRoot, onPath } from "../lib/system.mjs";
import { rust } from "./rust.mjs";

/** Where cargo compiles for the targets: their flags are other ones. Checkouts that share a target folder share what is compiled. */
const FUZZ_BUILD = join(TARGET, "fuzz");

/** Where it puts the programs: each checkout's are its own, whatever another one builds meanwhile. */
const PROGRAMS = join(STATE, "fuzz", "programs");
/** The folder of the targets and their inputs. */
export const FOLDER = join(ROOT, "fuzz");

/** What each target is given in a test run beyond its corpus: so many inputs, each of at most so many bytes. */
export const TARGETS = {
  protocol_client: { runs: 50_000, maxBytes: 4_096, seeds: ["protocol/golden/client"] },
  protocol_server: { runs: 50_000, maxBytes: 4_096, seeds: ["protocol/golden/server"] },
  fold: { runs: 50_000, maxBytes: 1_024 },
  client_machine: { runs: 4_000, maxBytes: 2_048 },
  server_machine: { runs: 8_000, maxBytes: 2_048 },
  event_stream: { runs: 10_000, maxBytes: 8_192 },
};

/** The bounds of one input. */
export const LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-reload=0"];

/** libFuzzer is C++. */
const cxx = {
  id: "cxx",
  title: "a C++ compiler",
  needs: [rust],
  ready: () => onPath("c++") !== null,
  async run(step) {
    if (!isDebianRoot()) throw new Advice("A C++ compiler is missing (`c++`). Install one (Debian, Ubuntu: `sudo apt-get install g++`; macOS: `xcode-select --install`) and run this again.");
    await installDebianPackages(step, ["g++"]);
  },
};

/** All targets. Cargo knows best whether they are up to date. */
export const fuzzTargets = {
  id: "fuzz-targets",
  title: "fuzz targets",
  needs: [rust, cxx],
  run: (step) => step.run("cargo", ["build", "--locked", "--release", "--bins"], {
    cwd: FOLDER,
    env: { CARGO_BUILD_BUILD_DIR: FUZZ_BUILD, CARGO_TARGET_DIR: PROGRAMS, RUSTC_WRAPPER: join(FOLDER, "instrument.sh"), RUSTFLAGS: undefined },
  }),
};

/** Replays every stored input, then makes the same number of new ones from the same seed each time. Prints what `cargo test` would. */
export async function shortRun(step) {
  let inputs = 0;
  for (const [name, { runs, maxBytes }] of Object.entries(TARGETS)) {
    const stored = folders(name);
    const count = stored.reduce((sum, folder) => sum + readdirSync(folder).length, 0);
    const found = join(STATE, "fuzz", "short", name);
    rmSync(found, { recursive: true, force: true });
    mkdirSync(join(found, "corpus"), { recursive: true });
    const args = [`-runs=${count + runs}`, "-seed=1", `-max_len=${maxBytes}`, `-artifact_prefix=${found}/`, ...LIMITS];
    await step.run(program(name), [...args, join(found, "corpus"), ...stored], { timeoutMs: 120_000 });
    inputs += count + runs;
    step.note(`test result: ok. 1 passed; 0 failed; 0 ignored; ${name}: ${count} stored inputs and ${runs} new ones`);
  }
  step.summary = `${inputs} inputs`;
}

/**
 * Makes the corpus of a target anew, as few inputs as libFuzzer finds to reach what those there are and those in `found` reach.
 * What the golden frames reach needs no inputs beside them; an input that a person gave a name stays.
 */
export async function smallest(step, name, found) {
  const corpus = join(FOLDER, "corpus", name);
  const given = join(STATE, "fuzz", "keep", name);
  rmSync(given, { recursive: true, force: true });
  for (const folder of [corpus, given, found]) mkdirSync(folder, { recursive: true });
  const before = readdirSync(corpus);
  const named = before.filter((file) => !FOUND_NAME.test(file));
  for (const file of named) copyFileSync(join(corpus, file), join(given, file));
  const seeds = (TARGETS[name].seeds ?? []).map((folder) => join(ROOT, folder));
  for (const folder of seeds) for (const file of readdirSync(folder)) copyFileSync(join(folder, file), join(given, file));
  // By what code is reached and not by how often, which would take four times the files; a run finds that again in seconds.
  const args = ["-set_cover_merge=1", "-use_counters=0", `-max_len=${TARGETS[name].maxBytes}`, ...LIMITS];
  await step.run(program(name), [...args, given, corpus, found]);
  for (const file of before) if (!named.includes(file)) rmSync(join(corpus, file));
  for (const file of readdirSync(given).filter((file) => FOUND_NAME.test(file))) renameSync(join(given, file), join(corpus, file));
  return { ok: true, summary: `${before.length} inputs before, ${readdirSync(corpus).length} now` };
}

/** libFuzzer names what it found by its SHA-1. */
const FOUND_NAME = /^[0-9a-f]{40}$/;

/** The program of a target. */
export function program(name) {
  return join(PROGRAMS, "release", name);
}

/** Where the stored inputs of a target are: its seeds, and what once went wrong. */
export function folders(name) {
  const all = ["corpus", "regressions"].map((kind) => join(FOLDER, kind, name)).concat((TARGETS[name].seeds ?? []).map((seeds) => join(ROOT, seeds)));
  return all.filter((folder) => {
    try {
      return readdirSync(folder).length > 0;
    } catch {
      return false;
    }
  });
}
