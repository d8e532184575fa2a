// 500 answers at the speed of a model: what a token costs when it comes alone, and how late it is.

import { streams } from "../lib/load.mjs";
import { alternate, median, shown } from "../lib/numbers.mjs";
import { withServers } from "../lib/programs.mjs";
import { Quiet } from "../lib/quiet.mjs";
import { stamped } from "../lib/scenarios.mjs";

const STREAMS = 500;
/** What one core of the Node server can just follow: what it does not get done costs it nothing. */
const STREAMS_FOR_ONE_CORE = 250;

export const name = "paced";
export const how = "500 answers, begun evenly over 2 s; measured for 4.5 s from a second after the last. Each token carries the time at which it was due at the emulator; its latency ends when the load generator has it. From that of each server the latency without any server, measured in the same round, is subtracted: median from median, 99th percentile from 99th percentile. The CPU time is that of all threads of the server over the tokens received in the same 4.5 s.";

export async function measure({ emulator, quick, note }) {
  const scenario = stamped(quick ? 6 : 8);
  const window = quick ? { spreadMs: 2_000, windowMs: 2_500 } : { spreadMs: 2_000, windowMs: 4_500 };
  return withServers(emulator, async ({ outcrop, node }) => {
    for (const server of [outcrop, node]) await streams(server, stamped(4), { streams: STREAMS / 10 });
    const quiet = new Quiet([emulator, outcrop, node]);
    const load = (server, count = STREAMS) => () => quiet.run(() => streams(server, scenario, { streams: count, ...window }));
    const perToken = (run) => run.cpuNs / 1_000 / run.tokens;
    const runs = await alternate(quick ? 1 : 3, { direct: load(emulator), ours: load(outcrop), other: load(node) });
    const half = await alternate(quick ? 1 : 2, { ours: load(outcrop, STREAMS_FOR_ONE_CORE), other: load(node, STREAMS_FOR_ONE_CORE) });
    const [ours, other] = [half.ours, half.other].map((runs) => median(runs.map(perToken)));
    note(`one core is too little for the Node server with 500 streams: its tokens come late and joined, which makes each cheaper. With ${STREAMS_FOR_ONE_CORE}, which it can just follow, a token costs it ${shown(other)} µs and Outcrop ${shown(ours)} µs, ${shown(other / ours)} × less`);
    quiet.report(note);
    const figure = (of) => ({ ours: runs.ours.map(of), other: runs.other.map(of) });
    const added = (key) => figure((run, round) => (run.latency[key] - runs.direct[round].latency[key]) / 1_000);
    return {
      "cpu-paced": figure(perToken),
      "latency-median": { ...added("p50Us"), direct: runs.direct.map((run) => run.latency.p50Us / 1_000) },
      "latency-p99": { ...added("p99Us"), direct: runs.direct.map((run) => run.latency.p99Us / 1_000) },
    };
  });
}
