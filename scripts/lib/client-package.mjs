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

/** The hand-written surface, shipped without comments and blanks; a source map has them. */
export const SURFACE = ["index.js", "node.js", "ai-sdk.js", "tanstack-ai.js"];

/** The most that each entry may add to a page, as a web server sends it. The adapters are loaded beside the client, by those who use them. */
const BUDGETS = [
  { entry: "client", files: ["index.js", `${OUT_NAME}.js`, WASM_FILE], brotli: 45_000 },
  { entry: "node", files: ["node.js"], brotli: 400 },
  { entry: "ai-sdk", files: ["ai-sdk.js"], brotli: 3_000 },
  { entry: "tanstack-ai", files: ["tanstack-ai.js"], brotli: 3_000 },
];

/** What is loaded at run time; source maps and types are not among it. */
const LOADED = /\.(js|wasm)$/;

const LICENCES = ["LICENSE-MIT", "LICENSE-APACHE"].filter((name) => existsSync(join(ROOT, name)));

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
  for (const name of [...GENERATED, ...SURFACE, ...SURFACE.map(sourceMap)]) cpSync(join(staging, name), join(fresh, name));
  for (const name of LICENCES) cpSync(join(ROOT, name), join(fresh, name));
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

/** The name of the source map of a file of the surface. */
export function sourceMap(name) {
  return `${name}.map`;
}

/** Size in bytes of each file that is loaded: as it is, by gzip and by brotli at their best levels. */
export function sizes(folder = CLIENT_PACKAGE) {
  return readdirSync(folder).filter((name) => LOADED.test(name)).sort().map((name) => {
    const bytes = readFileSync(join(folder, name));
    return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
  });
}

/** Logs the sizes and throws when an entry is larger than its budget, or a file in none. */
export function checkSizes(step, folder = CLIENT_PACKAGE) {
  const rows = sizes(folder);
  const totals = BUDGETS.map(({ entry, files }) => ({ name: `entry ${entry}`, ...total(rows.filter(({ name }) => files.includes(name))) }));
  for (const { name, raw, gzip, brotli } of [...rows, ...totals]) {
    step.note(`${name.padEnd(28)} ${String(raw).padStart(9)} bytes  gzip ${String(gzip).padStart(7)}  brotli ${String(brotli).padStart(7)}`);
  }
  const budgeted = BUDGETS.flatMap(({ files }) => files);
  for (const { name } of rows) if (!budgeted.includes(name)) throw step.failure(`${name} has no budget`);
  BUDGETS.forEach(({ entry, brotli: most }, at) => {
    const { brotli } = totals[at];
    if (brotli > most) throw step.failure(`${entry}: ${brotli} bytes by brotli, at most ${most} are allowed`);
  });
  step.summary = `${totals[0].brotli} bytes by brotli`;
}

function total(rows) {
  const sum = (field) => rows.reduce((sum, row) => sum + row[field], 0);
  return { raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
}

function manifest() {
  const crate = readFileSync(join(ROOT, "client-wasm", "Cargo.toml"), "utf8");
  const workspace = readFileSync(join(ROOT, "Cargo.toml"), "utf8");
  const types = existsSync(HAND_WRITTEN) ? readdirSync(HAND_WRITTEN).filter((name) => name.endsWith(".d.ts")).sort() : [];
  const optional = { "@tanstack/ai": ">=0.58.0 <1", "@tanstack/ai-client": ">=0.33.0 <1", ai: ">=6 <8" };
  return {
    name: "@outcrop/client",
    version: field(workspace, "version"),
    description: field(crate, "description"),
    keywords: ["claude", "bedrock", "aws", "chat", "llm", "streaming", "websocket", "webassembly", "wasm", "ai-sdk", "tanstack-ai"],
    license: field(workspace, "license"),
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    main: "./index.js",
    module: "./index.js",
    types: "./index.d.ts",
    exports: {
      ".": { types: "./index.d.ts", browser: "./index.js", node: "./node.js", default: "./index.js" },
      "./ai-sdk": { types: "./ai-sdk.d.ts", default: "./ai-sdk.js" },
      "./tanstack-ai": { types: "./tanstack-ai.d.ts", default: "./tanstack-ai.js" },
      [`./${WASM_FILE}`]: `./${WASM_FILE}`,
      "./package.json": "./package.json",
    },
    peerDependencies: optional,
    peerDependenciesMeta: Object.fromEntries(Object.keys(optional).map((name) => [name, { optional: true }])),
    files: [...SURFACE, ...SURFACE.map(sourceMap), ...types, ...GENERATED, ...LICENCES, "snippets"],
  };
}

function field(toml, name) {
  return toml.match(new RegExp(`^${name} = "([^"]+)"$`, "m"))[1];
}
