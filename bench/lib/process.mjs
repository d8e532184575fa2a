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

/**
 * What ran on this machine while `work` did: the shares of all its cores that other programs had, and that the host gave to other
 * machines. Ours are this process, its children that have ended, and `running`.
 */
export async function company(running, work) {
  const before = busy(running);
  const result = await work();
  const after = busy(running);
  const total = after.total - before.total;
  const others = after.busy - before.busy - (after.own - before.own);
  return { result, othersShare: Math.max(0, others / total), stolenShare: (after.stolen - before.stolen) / total };
}

/** Clock ticks since the start of the machine, or of our processes. */
function busy(running) {
  const [user, nice, system, idle, waiting, irq, softirq, stolen] = readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/).slice(1).map(Number);
  const own = ticks("self", 4) + running.reduce((sum, pid) => sum + ticks(pid, 2), 0);
  // Interrupts are nobody's: most are our own packets.
  const programs = user + nice + system;
  return { busy: programs, stolen, total: programs + irq + softirq + idle + waiting + stolen, own };
}

/** The first fields of utime, stime, cutime and cstime, added up. */
function ticks(pid, fields) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ").slice(11, 11 + fields).reduce((sum, field) => sum + Number(field), 0);
}
