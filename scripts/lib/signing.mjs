// What signs requests to AWS, or is a credential, in files that a browser gets. Nothing of either may be there.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** The first four round constants of SHA-256 (FIPS 180-4, section 4.2.2), in the byte order of WebAssembly: every signature needs them. */
const SHA_256 = Buffer.from(new Uint32Array([0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5]).buffer).toString("latin1");

/** By name, what is looked for in a file's bytes, one character a byte. */
const MARKS = {
  "a signature of AWS": /AWS4-HMAC|aws4_request|x-amz-(date|security-token|content-sha256)/i,
  "SHA-256": new RegExp(`${SHA_256.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}|1116352408|0x428a2f98`, "i"),
  "HMAC of the browser": /name:\s*["']HMAC["']|["']HMAC["'],/,
  "an access key of AWS": /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  "a name for AWS's credentials": /aws_?(access_?key_?id|secret_?access_?key|session_?token)|secretAccessKey/i,
  "a private key": /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  "a token": /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/,
};

/** What a file says that no page may be told, by name. */
export function signingIn(bytes) {
  const text = Buffer.from(bytes).toString("latin1");
  return Object.entries(MARKS).filter(([, mark]) => mark.test(text)).map(([name]) => name);
}

/** Throws where a file of `folder` has any of it. Compressed copies of other files are passed over. */
export function checkNoSigning(step, folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !/\.(br|gz|zst)$/.test(entry.name));
  if (files.length === 0) throw step.failure(`${folder} is empty`);
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const found = signingIn(readFileSync(path));
    if (found.length > 0) throw step.failure(`${relative(folder, path)} has ${found.join(", ")}`);
  }
  return files.length;
}
