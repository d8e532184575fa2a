// A TCP proxy of the tests' own, between the browser and the proxy: it can cut every connection that passes through it.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Starts one; `lead(port)` says where to. */
export async function startWire() {
  let port;
  const pairs = new Set();
  let budget = Infinity;
  let cuts = 0;
  let onCut = () => {};

  function cut() {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  }

  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const pair = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => {
      if (bytes.length < budget) {
        budget -= bytes.length;
        near.write(bytes);
        return;
      }
      // What came before the cut still arrives, down to the byte.
      near.write(bytes.subarray(0, budget), cut);
      budget = Infinity;
      cuts += 1;
      onCut();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    get cuts() {
      return cuts;
    },
    lead: (to) => (port = to),
    /** Cuts every connection now. */
    cut,
    /** Cuts every connection once this many more bytes have gone to the browser; resolves then. */
    cutAfter(bytes) {
      budget = bytes;
      return new Promise((done) => (onCut = done));
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}

/** Numbers that look random and are the same in every run: a linear congruential generator. */
export function numbers(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
