import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkNoSigning, signingIn } from "../lib/signing.mjs";

const constants = () => new Uint8Array(new Uint32Array([1, 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 2]).buffer);

test("everything that signs or is a credential is found by its name", () => {
  const cases = [
    [constants(), "SHA-256"],
    ["const K = [1116352408, 1899447441]", "SHA-256"],
    ['"AWS4-HMAC-SHA256 Credential="', "a signature of AWS"],
    ['headers["X-Amz-Date"]', "a signature of AWS"],
    ['crypto.subtle.sign({ name: "HMAC" }, key, data)', "HMAC of the browser"],
    [`key = "${"AKIA"}IOSFODNN7EXAMPLE"`, "an access key of AWS"],
    ["process.env.AWS_SECRET_ACCESS_KEY", "a name for AWS's credentials"],
    ["credentials.secretAccessKey", "a name for AWS's credentials"],
    ["-----BEGIN EC PRIVATE KEY-----", "a private key"],
    [`${"eyJ"}hbGciOiJIUzI1NiJ9.${"eyJ"}zdWIiOiJhbm4ifQ00.c2lnbmF0dXJlLXRoYXQ`, "a token"],
  ];
  for (const [bytes, name] of cases) assert.deepEqual(signingIn(bytes), [name]);
});

test("what merely speaks of it is not", () => {
  const text = `proxy holds the AWS credentials, signs and forwards; ${createHash("sha256").update("a").digest("hex")} sha256 anthropic.claude hmac`;
  assert.deepEqual(signingIn(text), []);
});

test("a folder is looked through to its bottom, and an empty one is none", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "outcrop-signing-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const step = { failure: (message) => new Error(message) };
  assert.throws(() => checkNoSigning(step, folder), /is empty/);
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "assets", "index.js"), "fine");
  assert.equal(checkNoSigning(step, folder), 1);
  writeFileSync(join(folder, "assets", "core.wasm"), constants());
  assert.throws(() => checkNoSigning(step, folder), /assets\/core\.wasm has SHA-256/);
});
