// Files sent with a message: read, named, and looked at before anything is read or sent.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { attachmentLimits, chat, ChatError, readAttachments, until } from "./harness.mjs";
import { serve, Turn, USAGE } from "./fake-server.mjs";

const golden = (path) => JSON.parse(readFileSync(new URL(`../../../protocol/golden/${path}`, import.meta.url)));
const refusal = (promise) => promise.then(() => assert.fail("it was not refused"), (error) => error);

function sending() {
  const sent = [];
  serve((frame, socket) => {
    sent.push(frame.data);
    if (frame.data.streaming) return new Turn(socket, frame).complete();
    const message = { messageId: "msg_1", content: "A rock.", role: "assistant", timestamp: "2026-11-23T09:30:00.000Z", usage: USAGE };
    return socket.receive({ id: frame.id, type: "chat.message_response", data: { sessionId: "s", message } });
  });
  return sent;
}

/** A file of a size, of which nothing is ever read. */
const sized = (name, size, type = "image/png") => ({ name, size, type, arrayBuffer: () => assert.fail(`${name} was read`) });

test("the limits are those of the protocol", () => {
  assert.deepEqual(attachmentLimits, golden("attachment-limits.json"));
});

test("files, blobs and what is read already are sent as base64, in their order", async () => {
  const sent = sending();
  const bytes = Uint8Array.from({ length: 700 }, (_, at) => at);
  const attachments = [
    new File([bytes], "all.png", { type: "image/png" }),
    new Blob(["ü"], { type: "text/plain;charset=utf-8" }),
    { name: "strata.csv", mediaType: "text/csv", data: "ZGVwdGgscm9jawo=" },
  ];
  const expected = [
    { name: "all.png", mediaType: "image/png", data: Buffer.from(bytes).toString("base64") },
    { name: "file 2", mediaType: "text/plain", data: "w7w=" },
    attachments[2],
  ];
  const client = chat();
  await client.sendMessage({ sessionId: "s", message: "What is this?", attachments });
  for await (const chunk of client.streamMessage({ sessionId: "s", message: "What is this?", attachments })) assert.equal(chunk.type, "done");
  assert.deepEqual(sent.map((data) => data.attachments), [expected, expected]);
  assert.deepEqual(await readAttachments(attachments), expected);
});

test("the end of a file's name says what it is, where a browser does not know or says something else", async () => {
  const files = [new File(["#"], "NOTES.MD"), new File(["a"], "a.b.csv", { type: "application/vnd.ms-excel" }), new File(["a"], "photo.jpg", { type: "image/jpeg" }), new File(["a"], "paste", { type: "image/webp" })];
  const read = await readAttachments(files);
  assert.deepEqual(read.map((file) => file.mediaType), ["text/markdown", "text/csv", "image/jpeg", "image/webp"]);
});

test("what cannot be sent is named with the reason, and nothing is read or sent", async () => {
  const sent = sending();
  const client = chat();
  const { maxFiles, maxDocuments, maxTotalBytes } = attachmentLimits;
  const files = (count, type) => Array.from({ length: count }, (_, at) => sized(`f${at + 1}`, 1, type));
  const cases = [
    [[sized("a.png", 1), sized("b.exe", 1, "application/x-msdownload")], "invalid_request", /^b\.exe: .*kind/],
    [[sized("c", 1, "")], "invalid_request", /^c: .*kind/],
    [[sized("constructor", 1, "")], "invalid_request", /^constructor: .*kind/],
    [[{ name: "d.png", bytes: 8 }], "invalid_request", /^d\.png: .*empty/],
    [[sized("e.png", 0)], "invalid_request", /^e\.png: .*empty/],
    [files(maxFiles + 1), "message_too_large", /^f21: .*20 files/],
    [files(maxDocuments + 1, "text/plain"), "message_too_large", /^f6: .*5 documents/],
    [[sized("g.png", maxTotalBytes), sized("h.png", 1)], "message_too_large", /^h\.png: .*700 KiB/],
    [[{ name: "i.png", mediaType: "image/png", data: "A".repeat(955_740) }], "message_too_large", /^i\.png: .*700 KiB/],
  ];
  for (const [attachments, code, text] of cases) {
    const request = { sessionId: "s", message: "hi", attachments };
    for (const error of [await refusal(client.sendMessage(request)), await refusal(client.streamMessage(request).next()), await refusal(readAttachments(attachments))]) {
      assert.ok(error instanceof ChatError, `${text}: ${error}`);
      assert.equal(error.code, code);
      assert.match(error.message, text);
    }
  }
  assert.deepEqual(sent, []);
});

test("bounds are themselves allowed, and a message with all of them fits a frame", async () => {
  const sent = sending();
  const { maxFiles, maxDocuments, maxTotalBytes } = attachmentLimits;
  const each = Math.floor(maxTotalBytes / maxFiles);
  const attachments = Array.from({ length: maxFiles }, (_, at) => new File([new Uint8Array(each)], at < maxDocuments ? `${at}.pdf` : `${at}.gif`));
  const client = chat();
  await client.sendMessage({ sessionId: "s", message: "x".repeat(80_000), attachments });
  await client.sendMessage({ sessionId: "s", message: "hi", attachments: [new File([new Uint8Array(maxTotalBytes)], "a.png")] });
  assert.deepEqual(sent.map((data) => data.attachments.length), [maxFiles, 1]);
  // What is read already is counted by its bytes.
  await client.sendMessage({ sessionId: "s", message: "hi", attachments: sent[1].attachments });
  assert.equal(sent[2].attachments[0].data.length, 955_736);
});

test("a file that cannot be read is named", async () => {
  const sent = sending();
  const gone = { name: "gone.png", size: 1, type: "image/png", arrayBuffer: () => Promise.reject(new Error("moved")) };
  const error = await refusal(chat().streamMessage({ message: "hi", attachments: [gone] }).next());
  assert.deepEqual([error.code, error.message, error.cause.message], ["invalid_request", "gone.png: the file cannot be read: choose it again.", "moved"]);
  assert.deepEqual(sent, []);
});

test("a stream that is stopped while its files are read is never sent", async () => {
  const sent = sending();
  let give;
  const slow = { name: "slow.png", size: 1, type: "image/png", arrayBuffer: () => new Promise((resolve) => (give = resolve)) };
  const stop = new AbortController();
  const client = chat();
  const stream = client.streamMessage({ sessionId: "s", message: "hi", attachments: [slow] }, { signal: stop.signal });
  const asked = refusal(client.sendMessage({ sessionId: "s", message: "hi", attachments: [slow] }, { signal: stop.signal }));
  await until(() => give);
  stop.abort();
  assert.equal((await stream.next()).value.stopReason, "cancelled");
  give(new ArrayBuffer(1));
  assert.equal((await asked).code, "aborted");
  await client.connect();
  assert.deepEqual(sent, []);
});
