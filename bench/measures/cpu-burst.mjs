// What a token costs where nothing but the server's own work is in its way: 50 answers at once, as fast as they come.

import { streams } from "../lib/load.mjs";
import { alternate } from "../lib/numbers.mjs";
import { withServers } from "../lib/programs.mjs";
import { Quiet } from "../lib/quiet.mjs";
import { burst } from "../lib/scenarios.mjs";

const STREAMS = 50;

export const name = "cpu-burst";
export const how = "CPU time of all threads of the server (Linux's schedstat), from the first of 50 questions to the end of the last of 50 answers of 4,000 tokens, over the tokens received. A run before warms each server up.";

export async function measure({ emulator, quick, note }) {
  const scenario = burst(quick ? 2_000 : 4_000);
  return withServers(emulator, async ({ outcrop, node }) => {
    for (const server of [outcrop, node]) await streams(server, burst(1_000), { streams: STREAMS });
    const quiet = new Quiet([emulator, outcrop, node]);
    const perToken = (server) => async () => {
      const { cpuNs, tokens } = await quiet.run(() => streams(server, scenario, { streams: STREAMS }));
      return cpuNs / 1_000 / tokens;
    };
    const results = await alternate(quick ? 1 : 5, { ours: perToken(outcrop), other: perToken(node) });
    quiet.report(note);
    return { [name]: results };
  });
}
