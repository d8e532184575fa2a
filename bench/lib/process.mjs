// What Linux knows of another process.

import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** Resident memory in bytes. */
export function residentBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB$/m)[1]) * 1024;
}

/** How many threads it has. */
export function threads(pid) {
  return readdirSync(`/proc/${pid}/task`).length;
}

/** How many of its open files are of this kind, as `/proc` names it. */
export function openFiles(pid, kind) {
  const folder = `/proc/${pid}/fd`;
  let count = 0;
  for (const name of readdirSync(folder)) {
    try {
      if (readlinkSync(`${folder}/${name}`) === kind) count += 1;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  return count;
}
