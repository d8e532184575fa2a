// What the store on disk adds to the time to first token, beside the one in memory.

import { stop } from "../lib/children.mjs";
import { turns } from "../lib/load.mjs";
import { alternate, median } from "../lib/numbers.mjs";
import { startOutcrop } from "../lib/programs.mjs";
import { Quiet } from "../lib/quiet.mjs";
import { burst } from "../lib/scenarios.mjs";

export const name = "store";
export const how = "1,000 answers of one token on one socket, each in a session of its own, after 300 that are not counted, in turns by a proxy that keeps them in SQLite (a commit to disk before the first word is sent) and by one that keeps them in memory. Time from the question's write to the first token's frame, median; the difference of the two in the same round.";

export async function measure({ emulator, quick, note }) {
  const counts = quick ? { turns: 300, warmUp: 200 } : { turns: 1_000, warmUp: 300 };
  const onDisk = await startOutcrop(emulator);
  const inMemory = await startOutcrop(emulator, { store: "memory" });
  try {
    const quiet = new Quiet([emulator, onDisk, inMemory]);
    const load = (server) => () => quiet.run(() => turns(server, burst(1), counts));
    const runs = await alternate(quick ? 1 : 5, { onDisk: load(onDisk), inMemory: load(inMemory) });
    quiet.report(note);
    const ms = (run) => run.firstToken.p50Us / 1_000;
    note(`SQLite ${median(runs.onDisk.map(ms)).toFixed(2)} ms, memory ${median(runs.inMemory.map(ms)).toFixed(2)} ms`);
    return { "store-first-token": { ours: runs.onDisk.map((run, round) => ms(run) - ms(runs.inMemory[round])) } };
  } finally {
    await Promise.all([onDisk, inMemory].map((server) => stop(server.child)));
  }
}
