import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, ChatError, deferred, until } from "./harness.mjs";
import { FakeWebSocket, HELLO, serve, USAGE } from "./fake-server.mjs";

const MESSAGE = { messageId: "msg_1", content: "Hello!", role: "assistant", timestamp: "2026-11-23T09:30:00.000Z", usage: USAGE, model: "model-b", stopReason: "end_turn" };

function answering() {
  const frames = [];
  serve((frame, socket) => {
    frames.push(frame);
    socket.receive({ id: frame.id, type: "chat.message_response", data: { sessionId: "s", message: MESSAGE } });
  });
  return frames;
}

const rejection = (promise) => promise.then(() => assert.fail("it was not rejected"), (error) => error);

test("sendMessage gives the whole answer, and usage() its total", async () => {
  const frames = answering();
  const client = chat();
  const answer = await client.sendMessage({ sessionId: "s", message: "hi" });
  assert.deepEqual(answer, { sessionId: "s", messageId: "msg_1", content: "Hello!", stopReason: "end_turn", usage: USAGE, message: MESSAGE });
  assert.deepEqual(frames[0].data, { sessionId: "s", message: "hi", streaming: false });
  const { totalTokens, costNanoUsd, turns, bySession, byModel } = client.usage();
  assert.deepEqual({ totalTokens, costNanoUsd, turns }, { totalTokens: 200, costNanoUsd: 2400000, turns: 1 });
  assert.deepEqual([bySession.s.turns, byModel["model-b"].costNanoUsd], [1, 2400000]);
});

test("a message that names no session gets a new one, so that it can be sent again", async () => {
  const frames = answering();
  const client = chat();
  await client.sendMessage({ message: "hi" });
  await client.sendMessage({ message: "hi" });
  const [first, second] = frames.map((frame) => frame.data.sessionId);
  assert.match(first, /^ses_[0-9a-f]{32}$/);
  assert.notEqual(first, second);
});

test("a usage event comes after each answer", async () => {
  answering();
  const client = chat();
  const seen = [];
  const stop = client.on("usage", (usage) => seen.push(usage.turns));
  await client.sendMessage({ message: "one" });
  await client.sendMessage({ message: "two" });
  await until(() => seen.length === 2);
  stop();
  await client.sendMessage({ message: "three" });
  assert.deepEqual(seen, [1, 2]);
});

test("the usage of a client that is closed can still be read", async () => {
  answering();
  const client = chat();
  await client.sendMessage({ message: "hi" });
  client.close();
  await until(() => client.status.state === "closed");
  assert.equal(client.usage().turns, 1);
});

test("half a surrogate pair in a message is replaced, since it is no text", async () => {
  const frames = answering();
  await chat().sendMessage({ message: "a\ud83d b \ud83d\ude00" });
  assert.equal(frames[0].data.message, "a\ufffd b \ud83d\ude00");
});

for (const when of ["before", "during"]) {
  test(`a sendMessage aborted ${when} the request is rejected, and the proxy told`, async () => {
    const frames = [];
    serve((frame) => frames.push(frame));
    const controller = new AbortController();
    if (when === "before") controller.abort("reason");
    const asked = rejection(chat().sendMessage({ message: "hi" }, { signal: controller.signal }));
    if (when === "during") {
      await until(() => frames[0]);
      controller.abort("reason");
    }
    const error = await asked;
    assert.ok(error instanceof ChatError);
    assert.deepEqual([error.code, error.cause], ["aborted", "reason"]);
    const types = frames.map((frame) => frame.type);
    assert.deepEqual(types, when === "before" ? [] : ["chat.send_message", "chat.cancel"]);
  });
}

test("a client ends with its block where `using` has it", async () => {
  serve();
  const client = chat();
  await client.connect();
  client[Symbol.dispose]();
  assert.deepEqual([client.status.state, FakeWebSocket.all[0].closedWith], ["closed", 1000]);
});

test("the socket is of the class that the page gives, and without any the error says what to do", async () => {
  serve();
  class Socket extends FakeWebSocket {}
  await chat({ WebSocket: Socket }).connect();
  assert.ok(FakeWebSocket.all[0] instanceof Socket);
  delete globalThis.WebSocket;
  const error = await rejection(chat().connect());
  globalThis.WebSocket = FakeWebSocket;
  assert.deepEqual([error.code, error.retryable], ["load_failed", false]);
  assert.match(error.message, /the option WebSocket a class/);
});

test("connect resolves with the greeting and sends the token", async () => {
  serve();
  const tokens = ["one"];
  const client = chat({ token: async () => tokens.shift() });
  assert.deepEqual(await client.connect(), HELLO);
  assert.deepEqual(await client.connect(), HELLO);
  assert.deepEqual(FakeWebSocket.all[0].sent[0].data, { version: 1, token: "one" });
  assert.equal(FakeWebSocket.all[0].protocols, "outcrop.v1");
  assert.equal(FakeWebSocket.all.length, 1);
});

test("a status listener hears the present state at once and every change", async () => {
  serve();
  const client = chat();
  const states = [];
  client.on("status", (status) => states.push(status.state));
  assert.deepEqual(states, ["idle"]);
  await client.connect();
  client.close();
  await until(() => states.includes("closed"));
  assert.deepEqual(states, ["idle", "connecting", "open", "closed"]);
  assert.equal(client.status.state, "closed");
});

test("a token that cannot be had is shown as the reason of the wait", async () => {
  serve();
  const client = chat({ token: () => Promise.reject(new Error("signed out")) });
  client.connect().catch(() => {});
  const status = await until(() => client.status.state === "reconnecting" && client.status);
  assert.equal(status.reason, "no token: signed out");
});

test("a proxy that refuses for good fails everything with its code and reason", async () => {
  serve((_, socket) => socket.drop(4503, "revoked"));
  const client = chat();
  const asked = rejection(client.sendMessage({ message: "hi" }));
  const stream = client.streamMessage({ message: "hi" });
  const streamed = rejection(stream.next());
  for (const error of [await asked, await streamed, await rejection(client.connect()), await rejection(client.listSessions())]) {
    assert.ok(error instanceof ChatError);
    assert.deepEqual([error.code, error.message], ["closed", "revoked"]);
  }
  assert.deepEqual(client.status, { state: "closed", code: 4503, reason: "revoked" });
});

test("close fails what is under way, and what comes after", async () => {
  serve();
  const client = chat();
  await client.connect();
  const stream = client.streamMessage({ message: "hi" });
  const failing = [rejection(client.sendMessage({ message: "hi" })), rejection(stream.next())];
  await until(() => FakeWebSocket.all[0].sent.length === 3);
  client.close();
  client.close();
  for (const error of await Promise.all(failing)) assert.equal(error.code, "closed");
  assert.equal((await rejection(client.history({ sessionId: "s" }))).code, "closed");
  assert.equal(FakeWebSocket.all[0].closedWith, 1000);
});

test("a client that is closed before it was used stays closed", async () => {
  serve();
  const client = chat();
  client.close();
  assert.equal((await rejection(client.connect())).code, "closed");
  assert.equal(FakeWebSocket.all.length, 0);
});

test("the socket of a client that is closed has no listeners left", async () => {
  serve();
  const client = chat();
  await client.connect();
  client.close();
  const { onopen, onmessage, onclose } = FakeWebSocket.all[0];
  for (const listener of [onopen, onmessage, onclose]) assert.equal(listener ?? null, null);
});

test("a listener that throws harms no other, and no call", async (t) => {
  serve();
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  t.after(() => delete globalThis.reportError);
  const client = chat();
  const states = [];
  client.on("status", () => { throw new Error("mine"); });
  client.on("status", ({ state }) => states.push(state));
  await client.connect();
  await until(() => states.includes("open"));
  assert.ok(reported.length >= 2 && reported.every((message) => message === "mine"));
});

test("code of the page that calls back is never inside a call of the core", async () => {
  serve();
  const client = chat({ token: () => { client.close(); return "late"; } });
  client.on("status", () => client.usage());
  assert.equal((await rejection(client.sendMessage({ message: "hi" }))).code, "closed");
});

test("the session calls send what the protocol says and give its data", async () => {
  const frames = [];
  const session = { sessionId: "s", createdAt: "2026-11-23T09:30:00.000Z", updatedAt: "2026-11-23T09:30:00.000Z", messageCount: 0 };
  const replies = {
    "chat.create_session": ["chat.session_created", session],
    "chat.list_sessions": ["chat.sessions_response", { sessions: [session], hasMore: false }],
    "chat.get_history": ["chat.history_response", { sessionId: "s", messages: [], hasMore: false }],
    "chat.rename_session": ["chat.session_updated", { ...session, title: "Rocks" }],
    "chat.delete_session": ["chat.session_deleted", { sessionId: "s" }],
  };
  serve((frame, socket) => {
    frames.push([frame.type, frame.data]);
    const [type, data] = replies[frame.type];
    socket.receive({ id: frame.id, type, data });
  });
  const client = chat();
  assert.deepEqual(await client.createSession({ title: "T" }), session);
  assert.equal((await client.listSessions({ limit: 5 })).sessions.length, 1);
  assert.deepEqual((await client.history({ sessionId: "s" })).messages, []);
  assert.equal((await client.renameSession("s", "Rocks")).title, "Rocks");
  assert.equal(await client.deleteSession("s"), undefined);
  assert.deepEqual(frames, [
    ["chat.create_session", { title: "T" }],
    ["chat.list_sessions", { limit: 5 }],
    ["chat.get_history", { sessionId: "s" }],
    ["chat.rename_session", { sessionId: "s", title: "Rocks" }],
    ["chat.delete_session", { sessionId: "s" }],
  ]);
});

test("the 65th request is refused", async () => {
  serve();
  const client = chat();
  await client.connect();
  const asked = Array.from({ length: 65 }, () => rejection(client.listSessions()));
  const error = await asked.at(-1);
  assert.deepEqual([error.code, error.retryable], ["overloaded", true]);
});

test("an address may be of http, relative to the page, or left out", async (t) => {
  serve();
  globalThis.location = { href: "https://app.test/chat/room?x#y" };
  t.after(() => delete globalThis.location);
  for (const url of ["http://a.test/ws", new URL("https://b.test"), "/proxy", undefined]) await chat({ url }).connect();
  const urls = FakeWebSocket.all.map((socket) => socket.url);
  assert.deepEqual(urls, ["ws://a.test/ws", "wss://b.test/", "wss://app.test/proxy", "wss://app.test/ws"]);
});

test("an address that is none is told, and not tried", async () => {
  serve();
  for (const url of ["ftp://a.test", "http://", "/relative to nothing"]) {
    assert.equal((await rejection(chat({ url }).connect())).code, "invalid_request");
  }
  assert.equal(FakeWebSocket.all.length, 0);
});

test("what the browser says of its network is listened to, and no longer after close", async (t) => {
  serve();
  const listeners = new Map();
  globalThis.addEventListener = (type, listener) => listeners.set(type, listener);
  globalThis.removeEventListener = (type, listener) => listeners.get(type) === listener && listeners.delete(type);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const client = chat();
  await client.connect();
  assert.deepEqual([...listeners.keys()].sort(), ["offline", "online"]);
  FakeWebSocket.onOpen = () => {};
  listeners.get("offline")({ type: "offline" });
  FakeWebSocket.all[0].drop(1006);
  assert.equal(client.status.state, "offline");
  listeners.get("online")({ type: "online" });
  await until(() => FakeWebSocket.all.length === 2);
  client.close();
  assert.equal(listeners.size, 0);
});

test("importing the package and making a client touches nothing of a browser", async () => {
  const { promise, resolve } = deferred();
  const { Worker } = await import("node:worker_threads");
  const url = new URL("../../pkg/index.js", import.meta.url).href;
  const worker = new Worker(
    `import(${JSON.stringify(url)}).then(({ ChatClient }) => {
      const client = new ChatClient();
      client.on("status", ({ state }) => require("node:worker_threads").parentPort.postMessage(state + client.usage().turns));
    });`,
    { eval: true },
  );
  worker.once("message", resolve);
  worker.once("error", (error) => resolve(error));
  assert.equal(await promise, "idle0");
  await worker.terminate();
});

test("the token is replaced at half its time, and the fresh one at its own", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let tokens = 0;
  const refreshed = [];
  serve((frame, socket) => {
    if (frame.type !== "auth.refresh") return;
    refreshed.push(frame.data.token);
    socket.receive({ id: frame.id, type: "auth.refreshed", data: { expiresInMs: 10_000 } });
  }, { expiresInMs: 4_000 });
  const client = chat({ token: () => `token-${(tokens += 1)}` });
  client.connect();
  await until(() => client.status.state === "open");
  t.mock.timers.tick(1_999);
  assert.equal(tokens, 1);
  t.mock.timers.tick(1);
  await until(() => refreshed.length === 1);
  await new Promise(setImmediate);
  t.mock.timers.tick(4_999);
  await new Promise(setImmediate);
  assert.deepEqual(refreshed, ["token-2"]);
  t.mock.timers.tick(1);
  await until(() => refreshed.length === 2);
  assert.deepEqual(refreshed, ["token-2", "token-3"]);
});
