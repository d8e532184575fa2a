import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";
import Ajv from "ajv";
import addFormats from "ajv-formats";

const GOLDEN = new URL("../../protocol/golden/", import.meta.url);
const text = readFileSync(new URL("../asyncapi.yaml", import.meta.url), "utf8");
const { document, diagnostics } = await new Parser().parse(text);

/** Each frame of a side, by the name of its file. */
function golden(side) {
  const folder = new URL(`${side}/`, GOLDEN);
  return readdirSync(folder).map((name) => ({ name: `${side}/${name}`, frame: JSON.parse(readFileSync(new URL(name, folder), "utf8")) }));
}

/** What is wrong with a frame by the schema of its type. */
const wrong = (() => {
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  const checks = new Map(document.messages().all().map((message) => [message.name(), ajv.compile(message.payload().json())]));
  return (frame) => {
    const check = checks.get(frame.type);
    assert.ok(check, `no schema for ${frame.type}`);
    return check(frame) ? [] : check.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
})();

test("the document is AsyncAPI 3.0, and its examples are what its schemas say", () => {
  const found = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning).map(({ path, message }) => `${path.join(".")}: ${message}`);
  assert.deepEqual(found, []);
  assert.equal(document.version(), "3.0.0");
});

test("every golden frame is valid by the schema of its type", () => {
  const frames = [...golden("client"), ...golden("server")];
  assert.ok(frames.length > 40, `${frames.length} frames`);
  for (const { name, frame } of frames) assert.deepEqual(wrong(frame), [], name);
});

test("a field that is missing or of another kind is seen in every golden frame", () => {
  for (const { name, frame } of [...golden("client"), ...golden("server")]) {
    const { id, data, ...rest } = frame;
    for (const cut of [{ ...rest, id }, { ...rest, data }, { ...frame, id: 7 }]) assert.notDeepEqual(wrong(cut), [], `${name}: ${Object.keys(cut)}`);
    for (const [key, value] of Object.entries(frame.data)) {
      if (key === "input") continue;
      const other = typeof value === "object" ? "text" : { nothing: "of this" };
      assert.notDeepEqual(wrong({ ...frame, data: { ...frame.data, [key]: other } }), [], `${name} with ${key} ${JSON.stringify(other)}`);
    }
  }
});

test("what a client may send the proxy receives, and what the proxy sends answers it or comes unasked", () => {
  const sent = new Set();
  const received = new Set();
  for (const operation of document.operations().all()) {
    for (const message of operation.messages().all()) (operation.isReceive() ? received : sent).add(message.name());
    for (const message of operation.reply()?.messages().all() ?? []) sent.add(message.name());
  }
  const types = (side) => [...new Set(golden(side).map(({ frame }) => frame.type))].sort();
  assert.deepEqual([...received].sort(), types("client"));
  assert.deepEqual([...sent].sort(), types("server"));
});
