// What a server holds when nothing happens.

import { pause } from "../lib/children.mjs";
import { withIdle } from "../lib/load.mjs";
import { residentBytes } from "../lib/process.mjs";
import { withServers } from "../lib/programs.mjs";

const SOCKETS = 5_000;
const SETTLE_MS = 3_000;
const MIB = 1024 * 1024;

export const name = "memory";
export const how = "Resident memory (VmRSS): of a server that has just answered its first health check, and again 3 s after 5,000 WebSockets were opened that do nothing. Per socket: the difference over 5,000.";

export async function measure({ emulator, quick }) {
  const results = { "memory-fresh": both(), "memory-socket": both(), "memory-idle": both() };
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    await withServers(emulator, async ({ outcrop, node }) => {
      for (const [key, server] of [["ours", outcrop], ["other", node]]) {
        const fresh = residentBytes(server.pid);
        const idle = await withIdle(server, SOCKETS, async () => {
          await pause(SETTLE_MS);
          return residentBytes(server.pid);
        });
        results["memory-fresh"][key].push(fresh / MIB);
        results["memory-socket"][key].push((idle - fresh) / 1024 / SOCKETS);
        results["memory-idle"][key].push(idle / MIB);
      }
    });
  }
  return results;
}

function both() {
  return { ours: [], other: [] };
}
