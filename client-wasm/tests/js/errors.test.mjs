import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chat, ChatError } from "./harness.mjs";
import { serve } from "./fake-server.mjs";

const read = (name) => readFileSync(new URL(`../../npm/${name}`, import.meta.url), "utf8");

/** The codes of a union of strings in a file of types. */
function union(file, name) {
  const [, members] = new RegExp(`export type ${name} =([^;]+);`).exec(read(file));
  return [...members.matchAll(/^[^/*]*?"([a-z_]+)"|\| "([a-z_]+)"/gm)].flatMap(([, first, other]) => first ?? other);
}

test("the README says of every code what to do", () => {
  const codes = [...union("protocol.d.ts", "ErrorCode"), ...union("index.d.ts", "ChatErrorCode")];
  assert.ok(codes.length >= 23 && codes.includes("internal") && codes.includes("load_failed"), codes.join(", "));
  const [, table] = read("README.md").split("## Errors");
  const rows = table.split("\n## ")[0].split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.flatMap((row) => [...row.split("|")[1].matchAll(/`([a-z_]+)`/g)].map(([, code]) => code));
  assert.deepEqual([...told].sort(), [...new Set(codes)].sort());
});

test("the client's own errors say what to do next", async () => {
  serve();
  const closed = chat();
  closed.close();
  const held = { sessionId: "s", inProgress: { seq: 1, message: { messageId: "msg_1", role: "assistant", content: "", timestamp: "2026-11-23T12:00:00.000Z" } } };
  const following = chat();
  // Fails when the client is closed.
  following.followMessage(held).next().catch(() => {});
  const first = (stream) => stream.next();
  const failing = [
    [() => closed.connect(), "closed", /make a new one/],
    [() => chat({ url: "file:///proxy" }).connect(), "invalid_request", /begins with ws:/],
    [() => chat().sendMessage({ message: "x".repeat(2 ** 20) }), "message_too_large", /send less/],
    [() => first(chat().streamMessage({ id: "\n", message: "Hello" })), "invalid_request", /has to be 1 to 128 bytes/],
    [() => first(following.followMessage(held)), "invalid_request", /read its first stream/],
    [() => first(chat().followMessage({ sessionId: "s", inProgress: { message: {} } })), "invalid_request", /give what history\(\) gives/],
    [() => chat().sendMessage({ message: "", attachments: [new File([""], "a.txt")] }), "invalid_request", /leave it out/],
    [() => chat().sendMessage({ message: "", attachments: [new File(["x"], "a.exe")] }), "invalid_request", /send an image/],
  ];
  for (const [fail, code, next] of failing) {
    const error = await fail().then(() => assert.fail("it did not fail"), (error) => error);
    assert.ok(error instanceof ChatError, String(error));
    assert.deepEqual([error.code, error.retryable], [code, false]);
    assert.match(error.message, next);
  }
});
