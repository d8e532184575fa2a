// What a token costs where nothing but the server's own work is in its way: 50 answers at once, as fast as they come.

import { streams } from "../lib/load.mjs";
import { alternate } from "../lib/numbers.mjs";
import { withServers } from "../lib/programs.mjs";
import { burst } from "../lib/scenarios.mjs";

const STREAMS = 50;

export const name = "cpu-burst";
export const how = "CPU time of all threads of the server (Linux's schedstat), from the first of 50 questions to the end of the last of 50 answers of 4,000 tokens, over the tokens received. A run before warms each server up.";

export async function measure({ emulator, quick }) {
  const scenario = burst(quick ? 2_000 : 4_000);
  const perToken = (server) => async () => {
    const { cpuNs, tokens } = await streams(server, scenario, { streams: STREAMS });
    return cpuNs / 1_000 / tokens;
  };
  return withServers(emulator, async ({ outcrop, node }) => {
    for (const server of [outcrop, node]) await streams(server, burst(1_000), { streams: STREAMS });
    const results = await alternate(quick ? 1 : 3, { ours: perToken(outcrop), other: perToken(node) });
    return { [name]: results };
  });
}
