// How many instructions of its own the proxy runs for a token: the steadiest figure there is on a busy machine.

import { available, withCallgrind } from "../lib/callgrind.mjs";
import { streams } from "../lib/load.mjs";
import { burst, paced } from "../lib/scenarios.mjs";

export const name = "instructions";
export const how = "callgrind's count over the whole proxy, without the kernel. As with system calls, a short run is subtracted from a long one. Burst: 2,000 and 8,000 tokens on one socket. 50 tokens/s: 2 s and 4 s on 10 sockets, so that the proxy keeps up although callgrind slows it down.";

export async function measure({ emulator, quick, note }) {
  if (!available()) {
    note("valgrind is not here");
    return {};
  }
  return withCallgrind(emulator, async (server, instructions) => {
    const perToken = async (long, short, load) => {
      const count = (scenario) => instructions(() => streams(server, scenario, load));
      const tokens = load.streams * (long.tokens - short.tokens);
      const few = await count(short);
      return ((await count(long)) - few) / tokens;
    };
    await streams(server, burst(1_000), { streams: 1 });
    return {
      "instructions-burst": { ours: [await perToken(burst(quick ? 4_000 : 8_000), burst(2_000), { streams: 1 })] },
      "instructions-paced": { ours: [await perToken(paced(4), paced(2), { streams: 10, spreadMs: 500 })] },
    };
  });
}
