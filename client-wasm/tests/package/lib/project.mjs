// Projects of people who installed the packed package. What they need beside it is in this folder's package.json, installed once for all.

import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const HERE = join(dirname(fileURLToPath(import.meta.url)), "..");
export const ROOT = join(HERE, "..", "..", "..");
const PACKAGE = join(ROOT, "client-wasm", "pkg");
const RUN = join(HERE, "run");
const BIN = join(HERE, "node_modules", ".bin");
const COMMAND_TIMEOUT_MS = 240_000;
const MAX_SHOWN_CHARS = 8_000;

/** Nothing that a project starts asks the network for anything, or reports to anybody. */
const QUIET = { DO_NOT_TRACK: "1", NEXT_TELEMETRY_DISABLED: "1", DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

if (!existsSync(BIN)) throw new Error(`${BIN} is missing: run npm ci in ${HERE} first (npm test does)`);

/** A fresh folder with what is in `source`, a folder of this one, and with the package unpacked as npm would. */
export async function project(name, source = name) {
  const folder = join(RUN, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(HERE, source), folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const [{ filename, files }] = JSON.parse(await run(folder, "npm", "pack", PACKAGE, "--json"));
  await run(folder, "tar", "-xzf", filename);
  const installed = join(folder, "node_modules", "@outcrop", "client");
  mkdirSync(dirname(installed), { recursive: true });
  renameSync(join(folder, "package"), installed);
  return {
    folder,
    installed,
    tarball: join(folder, filename),
    packed: files.map(({ path }) => path),
    run: (command, ...args) => run(folder, command, ...args),
    start: (t, pattern, command, ...args) => start(t, folder, pattern, command, args),
  };
}

/** A PATH that has the programs of these packages before others. */
export function binPath() {
  return `${BIN}${delimiter}${process.env.PATH}`;
}

function environment() {
  return { ...process.env, ...QUIET, PATH: binPath() };
}

/** Runs a program, of these packages before others; gives what it printed, and fails with it. */
async function run(cwd, command, ...args) {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env: environment(), timeout: COMMAND_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")} failed:\n${`${error.stdout ?? ""}\n${error.stderr ?? error.message}`.slice(0, MAX_SHOWN_CHARS)}`);
  }
}

/** Starts a server that ends with the test `t`; resolves with what the first group of `pattern` finds in a line of its output. */
function start(t, cwd, pattern, command, args) {
  const child = spawn(command, args, { cwd, env: environment(), stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(() => child.kill() && ended);
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => pattern.test(line) && resolve(pattern.exec(line)[1]));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code}`)));
  });
}

export function filesIn(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
