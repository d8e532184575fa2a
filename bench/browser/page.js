// One run in a page of its own: the same frames to the Outcrop client, to plain JavaScript, or to nobody.

import { asked, FakeSocket, theSocket } from "./fake-socket.js";
import { text } from "./frames.js";

const node = document.getElementById("answer").firstChild;

/** The page's own part, the same for all: one text node, set at most once a painted frame. */
class Shown {
  text = "";
  #scheduled = false;

  append(content) {
    this.text += content;
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      node.data = this.text;
    });
  }
}

const CLIENTS = { outcrop, plain, nobody };

/**
 * Connects a client and asks. Then `window.give()` gives it the answer of so many tokens and resolves when it is all shown:
 * the time to measure.
 */
export async function prepare(client, tokens, perFrame) {
  globalThis.WebSocket = FakeSocket;
  const shown = new Shown();
  const { socket, events, done } = await CLIENTS[client](shown, tokens);
  window.give = async () => {
    await Promise.all([socket.feed(events, perFrame), done]);
    await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
    const wanted = client === "nobody" ? "" : text(tokens);
    if (shown.text !== wanted || node.data.trim() !== wanted.trim()) throw new Error(`${client} shows ${node.data.length} characters of ${wanted.length}`);
  };
}

async function outcrop(shown, tokens) {
  const { ChatClient } = await import("/client/index.js");
  const client = new ChatClient({ url: "ws://bench.invalid/ws" });
  await client.connect();
  const socket = theSocket();
  const events = asked(socket, tokens);
  const done = (async () => {
    for await (const chunk of client.streamMessage({ message: "bench" })) {
      if (chunk.type === "token") shown.append(chunk.content);
      else if (chunk.type === "done" && chunk.usage.outputTokens !== tokens) throw new Error("the usage is wrong");
    }
  })();
  return { socket, events: await events, done };
}

async function plain(shown, tokens) {
  const socket = new WebSocket("ws://bench.invalid/ws");
  await new Promise((open) => (socket.onopen = open));
  const events = asked(socket, tokens);
  const done = new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "chat.message_stream") shown.append(frame.data.content);
      else if (frame.type === "chat.message_complete") resolve(frame.data.usage);
    };
  });
  socket.send(JSON.stringify({ id: "1", type: "chat.send_message", data: { message: "bench", streaming: true } }));
  return { socket, events: await events, done };
}

async function nobody(shown, tokens) {
  const socket = new WebSocket("ws://bench.invalid/ws");
  const events = asked(socket, tokens);
  socket.send(JSON.stringify({ id: "1", type: "chat.send_message", data: { message: "bench", streaming: true } }));
  return { socket, events: await events, done: Promise.resolve() };
}
