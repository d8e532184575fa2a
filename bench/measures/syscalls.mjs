// How often a server enters the kernel for a token.

import { streams } from "../lib/load.mjs";
import { alternate } from "../lib/numbers.mjs";
import { withServers } from "../lib/programs.mjs";
import { burst, paced } from "../lib/scenarios.mjs";
import { counter, syscalls } from "../lib/syscalls.mjs";

export const name = "syscalls";
export const how = "perf's count of raw_syscalls:sys_enter over all threads of the server (strace's where perf may not look). A short and a long answer are run, and the difference of the calls is taken over the difference of the tokens, so that what a turn costs is left out. Burst: 4,000 and 20,000 tokens on one socket. 50 tokens/s: 2 s and 8 s on 50 sockets.";

export async function measure({ emulator, quick, note }) {
  const tool = counter();
  if (tool === null) {
    note("neither perf nor strace can count system calls here");
    return {};
  }
  note(`counted by ${tool}`);
  const perToken = (server, long, short, load) => async () => {
    const calls = async (scenario) => syscalls(server, tool, () => streams(server, scenario, load));
    const tokens = load.streams * (long.tokens - short.tokens);
    return ((await calls(long)) - (await calls(short))) / tokens;
  };
  return withServers(emulator, async ({ outcrop, node }) => {
    for (const server of [outcrop, node]) await streams(server, burst(1_000), { streams: 1 });
    const measured = (rounds, ...args) => alternate(rounds, { ours: perToken(outcrop, ...args), other: perToken(node, ...args) });
    return {
      "syscalls-burst": await measured(quick ? 1 : 5, burst(20_000), burst(4_000), { streams: 1 }),
      "syscalls-paced": await measured(quick ? 1 : 2, paced(quick ? 4 : 8), paced(2), { streams: 50, spreadMs: 1_000 }),
    };
  });
}
