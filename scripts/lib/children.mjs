// Child processes: each in a process group of its own, so that ending one ends all it started, and so that a Ctrl-C reaches it
// exactly once (a terminal sends it to the whole foreground group, and npm forwards it again).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

/** Thrown instead of starting or finishing a program once the whole command is ending. */
export class Interrupted extends Error {}

/** A second signal within this time is the same key press, delivered twice. */
const REPEAT_MS = 1_000;

/** How long children may take to end by themselves before they are killed. */
const GRACE_MS = 15_000;

const children = new Set();
let ending = false;
let lastSignalAt = -Infinity;

/** Starts `command` in its own process group and remembers it until it ends. */
export function startChild(command, args, options) {
  if (ending) throw new Interrupted();
  const child = spawn(command, args, { ...options, detached: true });
  children.add(child);
  const forget = () => children.delete(child);
  child.once("exit", forget);
  child.once("error", forget);
  return child;
}

/** Waits for a child's end: its exit code, or 128 and the signal's number as a shell would say it. */
export async function exitCode(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode ?? 128 + constants.signals[child.signalCode];
}

/** Whether the command is about to end: by a signal, or because it has failed. */
export function isEnding() {
  return ending;
}

/** Forwards SIGINT, SIGTERM and SIGHUP to all children and waits for them instead of ending at once. */
export function watchSignals() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - lastSignalAt < REPEAT_MS) return;
      lastSignalAt = now;
      ending = true;
      signalAll(signal);
      setTimeout(() => signalAll("SIGKILL"), GRACE_MS).unref();
    });
  }
}

/** Ends all children, politely first; none can be started after it. */
export async function endAllChildren() {
  ending = true;
  const ends = [...children].map((child) => exitCode(child));
  signalAll("SIGTERM");
  const kill = setTimeout(() => signalAll("SIGKILL"), GRACE_MS);
  await Promise.allSettled(ends);
  clearTimeout(kill);
}

function signalAll(signal) {
  for (const child of children) {
    if (child.pid === undefined) continue;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }
}
