import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../lib/paths.mjs";

test("the image is built with every crate of the workspace", () => {
  const manifest = readFileSync(join(ROOT, "Cargo.toml"), "utf8");
  const members = [.../^members = \[([^\]]*)\]/m.exec(manifest)[1].matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  const admitted = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n").filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  assert.ok(members.length > 0);
  assert.deepEqual(members.filter((name) => !admitted.includes(name)), []);
});
