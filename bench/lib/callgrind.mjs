// Counting the instructions of the Outcrop proxy in user mode.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, stop } from "./children.mjs";
import { startOutcrop } from "./programs.mjs";

/** Whether valgrind is here. */
export function available() {
  return spawnSync("valgrind", ["--version"]).status === 0;
}

/** Starts the proxy under callgrind, runs `work` with it and a counter of instructions, ends it. */
export async function withCallgrind(emulator, work) {
  const folder = mkdtempSync(join(tmpdir(), "outcrop-callgrind-"));
  const out = join(folder, "out");
  const server = await startOutcrop(emulator, { wrapper: ["valgrind", "-q", "--tool=callgrind", `--callgrind-out-file=${out}`] });
  let dumps = 0;
  const dump = async () => {
    await run("callgrind_control", ["--dump", String(server.pid)]);
    dumps += 1;
    return Number(readFileSync(`${out}.${dumps}`, "utf8").match(/^(?:summary|totals): (\d+)/m)[1]);
  };
  /** Instructions while `task` runs. */
  const instructions = async (task) => {
    await dump();
    await task();
    return dump();
  };
  try {
    return await work({ ...server, pid: server.pid }, instructions);
  } finally {
    await stop(server.child);
    rmSync(folder, { recursive: true });
  }
}
