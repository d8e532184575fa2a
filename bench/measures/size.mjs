// What the client adds to a page.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { ROOT } from "../lib/programs.mjs";

const PACKAGE = join(ROOT, "client-wasm", "pkg");

export const name = "size";
export const how = "The sum of the package's .wasm and .js files, each compressed by brotli at quality 11, in units of 1,000 bytes. A bundler makes the JavaScript smaller still.";

export async function measure({ note }) {
  if (!existsSync(join(PACKAGE, "index.js"))) throw new Error('the client package is not built; run "npm run build -- client"');
  const files = readdirSync(PACKAGE).filter((file) => /\.(js|wasm)$/.test(file));
  const sizes = files.map((file) => compressed(readFileSync(join(PACKAGE, file))));
  note(files.map((file, index) => `${file} ${sizes[index]}`).join(", "));
  return { size: { ours: [sizes.reduce((sum, size) => sum + size, 0) / 1_000] } };
}

function compressed(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params }).length;
}
