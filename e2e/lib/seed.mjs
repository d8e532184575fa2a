// What was said in the days before, by a client of the tests' own.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";
import { atNoon } from "./faketime.mjs";
import { startProxy } from "./proxy.mjs";

/** Has a proxy keep these conversations in `data`: of each `[days ago, session, question]`, the oldest first. */
export async function seed(data, said) {
  for (const daysBefore of new Set(said.map(([days]) => days))) {
    const proxy = await startProxy({ data, demo: true, env: atNoon({ daysBefore }) });
    for (const [days, sessionId, message] of said) if (days === daysBefore) await ask(proxy.url, { sessionId, message });
    await proxy.stop();
  }
}

async function ask(url, data) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
  await once(socket, "open");
  socket.send(JSON.stringify({ id: randomUUID(), type: "chat.send_message", data }));
  const { type, data: answer } = JSON.parse((await once(socket, "message"))[0]);
  if (type !== "chat.message_response") throw new Error(`${type}: ${answer.message}`);
  socket.close();
  await once(socket, "close");
}
