// A TCP proxy of the tests' own, between the browser and the proxy: it cuts WebSockets, and leaves the rest alone, so
// that the page itself can still be loaded.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Starts one; `lead(port)` says where to. */
export async function startWire() {
  let port;
  const pairs = new Set();
  let budget = Infinity;
  let cuts = 0;
  let onCut = () => {};
  /** Whether WebSockets can be opened. */
  let opens = true;

  function cut() {
    for (const pair of pairs) if (pair.isWebSocket) pair.end();
  }

  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    const pair = {
      isWebSocket: undefined,
      isMute: false,
      end() {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      },
    };
    pairs.add(pair);
    for (const socket of [near, far]) socket.on("error", pair.end).on("close", pair.end);
    near.on("data", (bytes) => {
      pair.isWebSocket ??= /^upgrade: *websocket/im.test(bytes.toString("latin1"));
      if (pair.isWebSocket && !opens) pair.end();
      else far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (pair.isMute) return;
      if (!pair.isWebSocket || bytes.length < budget) {
        if (pair.isWebSocket) budget -= bytes.length;
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
    /** Cuts every WebSocket now. */
    cut,
    /** Cuts every WebSocket and lets none through, until `up()`. */
    down() {
      opens = false;
      cut();
    },
    up: () => (opens = true),
    /** Of the WebSockets that are open, what the proxy says is lost from now on; what the page says arrives. */
    mute() {
      for (const pair of pairs) pair.isMute = pair.isWebSocket === true;
    },
    /** Cuts every WebSocket once this many more bytes have gone to the browser over one; resolves then. */
    cutAfter(bytes) {
      budget = bytes;
      return new Promise((done) => (onCut = done));
    },
    async close() {
      for (const pair of pairs) pair.end();
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
