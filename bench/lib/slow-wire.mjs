// A slow network before a server: a TCP relay with the round trip and the rates of Lighthouse's mobile profile, for WebSockets too.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export const ROUND_TRIP_MS = 150;
const DOWN_BYTES_PER_MS = 1_638_400 / 8 / 1_000;
const UP_BYTES_PER_MS = 768_000 / 8 / 1_000;
/** What goes out at once, so that the end of a file does not wait for its whole length. */
const PIECE_BYTES = 4_096;

/** One direction of the line, which all connections share. */
export class Lane {
  #bytesPerMs;
  #freeAt = 0;
  bytes = 0;

  constructor(bytesPerMs) {
    this.#bytesPerMs = bytesPerMs;
  }

  /** When so many bytes that come at `now` have passed. */
  pass(bytes, now) {
    this.bytes += bytes;
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / this.#bytesPerMs;
    return this.#freeAt;
  }
}

/** Starts one before `address`. `bytes()` is what has come down so far. */
export async function startSlowWire(address) {
  const [host, port] = address.split(":");
  const up = new Lane(UP_BYTES_PER_MS);
  const down = new Lane(DOWN_BYTES_PER_MS);
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay());
      socket.on("error", () => [near, far].forEach((socket) => socket.destroy()));
    }
    // The first bytes wait for TCP's handshake as well.
    relay(near, far, up, performance.now() + ROUND_TRIP_MS);
    relay(far, near, down, 0);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    bytes: () => down.bytes,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function relay(from, to, lane, notBefore) {
  const queue = [];
  let timer;
  const next = () => {
    timer = undefined;
    while (queue.length > 0 && queue[0].due <= performance.now()) queue.shift().go();
    if (queue.length > 0) timer = setTimeout(next, queue[0].due - performance.now());
  };
  const add = (due, go) => {
    queue.push({ due, go });
    timer ??= setTimeout(next, due - performance.now());
  };
  from.on("data", (bytes) => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      add(lane.pass(piece.length, Math.max(performance.now(), notBefore)) + ROUND_TRIP_MS / 2, () => to.write(piece));
    }
  });
  from.on("end", () => add(Math.max(performance.now(), queue.at(-1)?.due ?? 0), () => to.end()));
}
