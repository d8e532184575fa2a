// Answers of one token, one after the other: the fixed cost of a turn, and what it adds to the time to first token.

import { turns } from "../lib/load.mjs";
import { alternate } from "../lib/numbers.mjs";
import { withServers } from "../lib/programs.mjs";
import { Quiet } from "../lib/quiet.mjs";
import { burst } from "../lib/scenarios.mjs";

export const name = "turns";
export const how = "1,000 answers of one token on one socket, each in a session of its own, after 300 that are not counted. CPU time of all threads of the server over the turns; time from the question's write to the first token's frame, median. The time without any server (a kept-alive connection to the emulator, an API key in place of a signature) is measured in the same round and subtracted.";

export async function measure({ emulator, quick, note }) {
  const counts = quick ? { turns: 300, warmUp: 200 } : { turns: 1_000, warmUp: 300 };
  return withServers(emulator, async ({ outcrop, node }) => {
    const quiet = new Quiet([emulator, outcrop, node]);
    const load = (server) => () => quiet.run(() => turns(server, burst(1), counts));
    const runs = await alternate(quick ? 1 : 5, { direct: load(emulator), ours: load(outcrop), other: load(node) });
    quiet.report(note);
    const figure = (of) => ({ ours: runs.ours.map(of), other: runs.other.map(of) });
    const direct = runs.direct.map((run) => run.firstToken.p50Us / 1_000);
    return {
      "cpu-turn": figure((run) => run.cpuNs / 1_000 / run.turns),
      "first-token": { ...figure((run, round) => run.firstToken.p50Us / 1_000 - direct[round]), direct },
    };
  });
}
