// Programs that a benchmark starts. Each is ended before the benchmark is, whatever happens.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** How long a program may take to end by itself. */
const GRACE_MS = 8_000;
/** How much of a program's output is kept for error messages. */
const TAIL_CHARS = 4_000;
/** Open files that a server with 5,000 sockets needs, with room to spare. */
const OPEN_FILES = 12_000;

const children = new Set();

/** Starts a program with its output kept for error messages, and as many open files as a benchmark needs. */
export function start(command, args, { env = {}, stdin = "ignore" } = {}) {
  const shell = ["-c", `ulimit -n ${OPEN_FILES} && exec "$@"`, "sh", command, ...args];
  const child = spawn("/bin/sh", shell, { env: { ...process.env, ...env }, stdio: [stdin, "pipe", "pipe"] });
  child.stdoutText = "";
  child.stderrText = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (child.stdoutText += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (child.stderrText = (child.stderrText + text).slice(-TAIL_CHARS)));
  child.label = command.split("/").at(-1);
  children.add(child);
  child.once("close", () => children.delete(child));
  child.once("error", () => children.delete(child));
  return child;
}

/** Runs a program to its end; its standard output. Throws when it fails or takes longer than `timeoutMs`. */
export async function run(command, args, { timeoutMs = 180_000, ...options } = {}) {
  const child = start(command, args, options);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  try {
    await ended(child);
  } finally {
    clearTimeout(timer);
  }
  if (child.exitCode !== 0) throw failure(child, `ended with ${child.signalCode ?? child.exitCode}`);
  return child.stdoutText;
}

/** Ends a program: with `signal` first, by force if that does not help. */
export async function stop(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  child.kill(signal);
  await ended(child);
  clearTimeout(timer);
}

/** Ends all that still runs. */
export async function stopAll() {
  await Promise.all([...children].map((child) => stop(child)));
}

/** Waits until `ready()` gives something; throws when the program ends before or `timeoutMs` pass. */
export async function until(child, ready, what, timeoutMs = 20_000) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw failure(child, `ended before ${what}`);
    const found = await ready();
    if (found) return found;
    if (performance.now() > deadline) throw failure(child, `${what}: not within ${timeoutMs / 1000} s`);
    await pause(20);
  }
}

export function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
}

function failure(child, reason) {
  return new Error(`${child.label} ${reason}\n${child.stderrText || child.stdoutText.slice(-TAIL_CHARS)}`.trimEnd());
}
