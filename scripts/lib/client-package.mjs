// The npm package @outcrop/client: generated glue and wasm, the hand-written surface over them, and its package.json.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { CLIENT_PACKAGE, ROOT } from "./paths.mjs";

/** Base name of wasm-bindgen's output. */
export const OUT_NAME = "outcrop_client";
export const WASM_FILE = `${OUT_NAME}_bg.wasm`;

const GENERATED = [`${OUT_NAME}.js`, `${OUT_NAME}.d.ts`, WASM_FILE, `${WASM_FILE}.d.ts`];
export const HAND_WRITTEN = join(ROOT, "client-wasm", "npm");

/** The hand-written surface; a browser gets it without its comments. */
export const SURFACE = "index.js";

/** The most that the client may add to a page, as a web server sends it. */
const BROTLI_LIMIT_BYTES = 45_000;

/** What a browser loads; source maps and types are not among it. */
const LOADED = /\.(js|wasm)$/;

/** Writes package.json alone, so that npm can link the package before it is built. */
export function writeManifest(folder = CLIENT_PACKAGE) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
}

/** Makes the package from wasm-bindgen's output and the surface in `staging`, and the other files of client-wasm/npm. */
export function assemble(staging, folder = CLIENT_PACKAGE) {
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  if (existsSync(join(staging, "snippets"))) cpSync(join(staging, "snippets"), join(fresh, "snippets"), { recursive: true });
  if (existsSync(HAND_WRITTEN)) cpSync(HAND_WRITTEN, fresh, { recursive: true });
  for (const name of [...GENERATED, SURFACE]) cpSync(join(staging, name), join(fresh, name));
  writeManifest(fresh);
  // The folder itself stays: a dev server watches it and a link points at it.
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!existsSync(join(fresh, name))) rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const name of readdirSync(fresh)) {
    rmSync(join(folder, name), { recursive: true, force: true });
    renameSync(join(fresh, name), join(folder, name));
  }
  rmSync(fresh, { recursive: true, force: true });
}

/** Size in bytes of each file that a browser loads: as it is, by gzip and by brotli at their best levels. */
export function sizes(folder = CLIENT_PACKAGE) {
  return readdirSync(folder).filter((name) => LOADED.test(name)).sort().map((name) => {
    const bytes = readFileSync(join(folder, name));
    return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
  });
}

/** Logs the sizes and throws when the browser would load more than `BROTLI_LIMIT_BYTES`. */
export function checkSizes(step, folder = CLIENT_PACKAGE) {
  const rows = sizes(folder);
  const total = (field) => rows.reduce((sum, row) => sum + row[field], 0);
  const all = { name: "all", raw: total("raw"), gzip: total("gzip"), brotli: total("brotli") };
  for (const { name, raw, gzip, brotli } of [...rows, all]) {
    step.note(`${name.padEnd(28)} ${String(raw).padStart(9)} bytes  gzip ${String(gzip).padStart(7)}  brotli ${String(brotli).padStart(7)}`);
  }
  if (all.brotli > BROTLI_LIMIT_BYTES) throw step.failure(`${all.brotli} bytes by brotli, at most ${BROTLI_LIMIT_BYTES} are allowed`);
  step.summary = `${all.brotli} bytes by brotli`;
}

function manifest() {
  const crate = readFileSync(join(ROOT, "client-wasm", "Cargo.toml"), "utf8");
  const workspace = readFileSync(join(ROOT, "Cargo.toml"), "utf8");
  const surface = existsSync(HAND_WRITTEN) ? readdirSync(HAND_WRITTEN).filter((name) => /\.(js|d\.ts)$/.test(name)).sort() : [];
  return {
    name: "@outcrop/client",
    version: field(workspace, "version"),
    description: field(crate, "description"),
    license: field(workspace, "license"),
    type: "module",
    sideEffects: false,
    main: "./index.js",
    module: "./index.js",
    types: "./index.d.ts",
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      [`./${WASM_FILE}`]: `./${WASM_FILE}`,
      "./package.json": "./package.json",
    },
    files: [...surface, ...GENERATED, "snippets"],
  };
}

function field(toml, name) {
  return toml.match(new RegExp(`^${name} = "([^"]+)"$`, "m"))[1];
}
