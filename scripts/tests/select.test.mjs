import assert from "node:assert/strict";
import { test } from "node:test";
import { select } from "../lib/select.mjs";

const STEPS = ["fmt", "wasm-chromium", "wasm-firefox", "e2e"].map((name) => ({ name }));
const names = (words) => select(STEPS, words).map(({ name }) => name);

test("no words select everything", () => assert.deepEqual(names([]), ["fmt", "wasm-chromium", "wasm-firefox", "e2e"]));

test("a word selects by part of a name, in the order of the table", () => {
  assert.deepEqual(names(["wasm"]), ["wasm-chromium", "wasm-firefox"]);
  assert.deepEqual(names(["E2E", "fmt"]), ["fmt", "e2e"]);
});

test("a word that fits nothing is an error that names what there is", () => {
  assert.throws(() => names(["fmt", "e3e"]), /No test step fits "e3e"\. There are: fmt, wasm-chromium/);
});
