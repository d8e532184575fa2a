import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fingerprint, Stamps } from "../lib/stamp.mjs";

let root;
const put = (path, text) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
};
const print = (...facts) => fingerprint(root, ["src", "lock"], facts);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "outcrop-stamp-"));
  put("src/a.rs", "a");
  put("src/deep/b.rs", "b");
  put("lock", "1");
});
afterEach(() => rmSync(root, { recursive: true }));

test("the same content gives the same fingerprint, whatever the times of the files", () => {
  const before = print();
  utimesSync(join(root, "src/a.rs"), 1, 1);
  assert.equal(print(), before);
});

test("a changed, moved, new or missing file and another fact each change the fingerprint", () => {
  const seen = new Set([print(), print("rustc 1")]);
  put("src/deep/b.rs", "changed");
  seen.add(print());
  put("src/c.rs", "");
  seen.add(print());
  rmSync(join(root, "src/a.rs"));
  put("src/deep/a.rs", "a");
  seen.add(print());
  rmSync(join(root, "lock"));
  seen.add(print());
  assert.equal(seen.size, 6);
});

test("what builds leave behind is no input", () => {
  const before = print();
  for (const folder of ["node_modules", "dist", "target", "pkg"]) put(`src/${folder}/file`, "x");
  assert.equal(print(), before);
});

test("a stamp holds for its value only, while the outputs exist and until it is cleared", () => {
  const stamps = new Stamps(join(root, "stamps"));
  const output = join(root, "lock");
  assert.equal(stamps.matches("task", "v1", [output]), false);
  stamps.save("task", "v1");
  assert.equal(stamps.matches("task", "v1", [output]), true);
  assert.equal(stamps.matches("task", "v2", [output]), false);
  assert.equal(stamps.matches("task", "v1", [output, join(root, "missing")]), false);
  stamps.clear("task");
  assert.equal(stamps.matches("task", "v1", [output]), false);
});
