// A WebSocket whose other end is this page: it opens, greets, and gives the frames of one answer when it is told to.

import { answer, hello } from "./frames.js";

const BATCH = 100;

let opened = [];

/** Takes the place of `WebSocket`: as much of it as a chat client uses. */
export class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  CONNECTING = 0;
  OPEN = 1;
  CLOSING = 2;
  CLOSED = 3;
  readyState = 0;
  bufferedAmount = 0;
  binaryType = "blob";
  extensions = "";
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;
  #listeners = new Map();

  constructor(url, protocols = []) {
    super();
    this.url = String(url);
    this.protocol = [protocols].flat()[0] ?? "";
    opened.push(this);
    setTimeout(() => {
      this.readyState = 1;
      this.#emit(new Event("open"));
    });
  }

  addEventListener(type, listener) {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  removeEventListener(type, listener) {
    this.#listeners.set(type, (this.#listeners.get(type) ?? []).filter((other) => other !== listener));
  }

  send(text) {
    const frame = JSON.parse(text);
    if (frame.type === "client.hello") setTimeout(() => this.#emit(message(hello(frame.id))));
    if (frame.type === "ping") setTimeout(() => this.#emit(message(JSON.stringify({ id: frame.id, type: "pong", data: {} }))));
    if (frame.type === "chat.send_message") this.asked?.(frame.id);
  }

  close(code = 1000, reason = "") {
    this.readyState = 3;
    setTimeout(() => this.#emit(new CloseEvent("close", { code, reason, wasClean: true })));
  }

  /**
   * Gives the events to whoever listens, `perFrame` of them between two painted frames and at most 100 in one task. Resolves
   * when the last was given.
   */
  async feed(events, perFrame) {
    const channel = new MessageChannel();
    const task = () => new Promise((done) => {
      channel.port1.onmessage = done;
      channel.port2.postMessage(null);
    });
    for (let at = 0; at < events.length; at += perFrame) {
      await new Promise((done) => requestAnimationFrame(done));
      const end = Math.min(at + perFrame, events.length);
      for (let from = at; from < end; from += BATCH) {
        await task();
        for (const event of events.slice(from, Math.min(from + BATCH, end))) this.#emit(event);
      }
    }
    channel.port1.close();
  }

  #emit(event) {
    this[`on${event.type}`]?.call(this, event);
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    }
  }
}

/** The only socket that was opened. */
export function theSocket() {
  if (opened.length !== 1) throw new Error(`${opened.length} sockets were opened`);
  return opened[0];
}

/** Waits for the next question on this socket, and makes the events of its answer. */
export function asked(socket, tokens) {
  return new Promise((done) => {
    socket.asked = (id) => done(answer(id, tokens).map(message));
  });
}

function message(data) {
  return new MessageEvent("message", { data });
}
