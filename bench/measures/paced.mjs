// 500 answers at the speed of a model: what a token costs when it comes alone, and how late it is.

import { streams } from "../lib/load.mjs";
import { alternate } from "../lib/numbers.mjs";
import { withServers } from "../lib/programs.mjs";
import { Quiet } from "../lib/quiet.mjs";
import { stamped } from "../lib/scenarios.mjs";

const STREAMS = 500;

export const name = "paced";
export const how = "500 answers, begun evenly over 2 s; measured for 4.5 s from a second after the last. Each token carries the time at which it was due at the emulator; its latency ends when the load generator has it. From that of each server the latency without any server, measured in the same round, is subtracted: median from median, 99th percentile from 99th percentile. The CPU time is that of all threads of the server over the tokens received in the same 4.5 s.";

export async function measure({ emulator, quick, note }) {
  const scenario = stamped(quick ? 6 : 8);
  const window = quick ? { spreadMs: 2_000, windowMs: 2_500 } : { spreadMs: 2_000, windowMs: 4_500 };
  return withServers(emulator, async ({ outcrop, node }) => {
    for (const server of [outcrop, node]) await streams(server, stamped(4), { streams: STREAMS / 10 });
    const quiet = new Quiet([emulator, outcrop, node]);
    const load = (server) => () => quiet.run(() => streams(server, scenario, { streams: STREAMS, ...window }));
    const runs = await alternate(quick ? 1 : 3, { direct: load(emulator), ours: load(outcrop), other: load(node) });
    quiet.report(note);
    const figure = (of) => ({ ours: runs.ours.map(of), other: runs.other.map(of) });
    const added = (key) => figure((run, round) => (run.latency[key] - runs.direct[round].latency[key]) / 1_000);
    return {
      "cpu-paced": figure((run) => run.cpuNs / 1_000 / run.tokens),
      "latency-median": { ...added("p50Us"), direct: runs.direct.map((run) => run.latency.p50Us / 1_000) },
      "latency-p99": { ...added("p99Us"), direct: runs.direct.map((run) => run.latency.p99Us / 1_000) },
    };
  });
}
