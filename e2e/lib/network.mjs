// A network between the browser and the proxy that can be cut. Playwright's own offline mode leaves open WebSockets alone.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Listens on a free port and passes everything on to `port`. */
export async function startNetwork(port) {
  const pairs = new Set();
  let budget = Infinity;
  let reachable = true;
  const server = createServer((near) => {
    if (!reachable) return void near.destroy();
    const far = connect(port, "127.0.0.1");
    const pair = { near, far };
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => {
      // The cut falls on any byte: what comes before it still arrives.
      const passed = bytes.subarray(0, Math.max(0, budget));
      budget -= bytes.length;
      if (passed.length === bytes.length) return void near.write(bytes);
      budget = Infinity;
      near.end(passed, end);
      network.cuts += 1;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const network = {
    url: `http://127.0.0.1:${server.address().port}`,
    /** How often a connection was cut on a byte. */
    cuts: 0,
    /** Cuts the connection over which the next `bytes` bytes end. */
    cutAfter(bytes) {
      budget = bytes;
    },
    /** Ends every connection at once, as pulled cables do. */
    cutAll() {
      for (const { near, far } of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    /** Whether new connections come through. */
    reach(yes) {
      reachable = yes;
    },
    async stop() {
      this.cutAll();
      server.close();
      await once(server, "close");
    },
  };
  return network;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
