import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions } from "../lib/system.mjs";
import { checkVersion } from "../tasks/rust.mjs";

test("versions compare by number", () => {
  assert.ok(compareVersions("1.100.0", "1.94.1") > 0);
  assert.ok(compareVersions("1.94.0", "1.94.1") < 0);
  assert.equal(compareVersions("1.94.1-nightly", "1.94.1") <= 0, true);
});

test("an old or unusable compiler gets the next step", () => {
  checkVersion("rustc 1.95.0 (59807616e 2026-04-14)");
  assert.throws(() => checkVersion("rustc 1.80.1 (x)"), /this is 1\.80\.1\. Run `rustup update stable`/);
  assert.throws(() => checkVersion(null), /rustup default stable/);
});
