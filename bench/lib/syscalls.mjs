// Counting the system calls of a server: by perf, or by strace where perf may not look.

import { spawnSync } from "node:child_process";
import { start, stop, until } from "./children.mjs";
import { openFiles, threads } from "./process.mjs";

const EVENT = "raw_syscalls:sys_enter";

/** `perf` or `strace`, whichever works here; null if none does. */
export function counter() {
  if (spawnSync("perf", ["stat", "-e", EVENT, "true"]).status === 0) return "perf";
  return spawnSync("strace", ["-c", "true"]).status === 0 ? "strace" : null;
}

/** How many system calls the server makes while `work` runs. */
export async function syscalls(server, tool, work) {
  const child = tool === "perf" ? await perf(server.pid) : await strace(server.pid);
  try {
    await work();
  } finally {
    await stop(child, "SIGINT");
  }
  const count = tool === "perf" ? child.stderrText.match(new RegExp(`^(\\d+),,${EVENT}`, "m")) : child.stderrText.match(/^100\.00.*?(\d+)\s+(?:\d+\s+)?total$/m);
  if (count === null) throw new Error(`${tool} counted nothing: ${child.stderrText}`);
  return Number(count[1]);
}

async function perf(pid) {
  const child = start("perf", ["stat", "-x,", "-e", EVENT, "-p", String(pid)]);
  await until(child, () => openFiles(child.pid, "anon_inode:[perf_event]") >= threads(pid), "perf counts");
  return child;
}

async function strace(pid) {
  const child = start("strace", ["-c", "-f", "-p", String(pid)]);
  await until(child, () => child.stderrText.includes("attached"), "strace counts");
  return child;
}
