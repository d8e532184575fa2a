// What a user gets: the packed package in a fresh Vite and TypeScript project without plugins and without configuration.
//
// Needs client-wasm/pkg, built. Installs Vite and TypeScript in the versions of the dashboard, from npm's cache where they are there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "..", "..", "..");
const PACKAGE = join(ROOT, "client-wasm", "pkg");

/** Nothing that signs requests to AWS, and no path of the machine that built it. */
const FOREIGN = ["AWS4-HMAC-SHA256", "SecretAccessKey", "aws_secret_access_key", "aws-sdk", "x-amz-", ROOT, process.env.HOME];

/** What a browser may have to load, compressed. */
const MAX_BROTLI_BYTES = 45 * 1024;
const COMMAND_TIMEOUT_MS = 240_000;

const folder = mkdtempSync(join(tmpdir(), "outcrop-package-"));
try {
  const tarball = pack();
  install(tarball);
  hasNothingForeign(join(folder, "node_modules", "@outcrop", "client"));
  run("npx", "--no-install", "tsc", "--noEmit");
  run("npx", "--no-install", "vite", "build");
  builtWithTheModule();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const [{ filename, files }] = JSON.parse(run("npm", "pack", PACKAGE, "--json", "--pack-destination", folder));
  const names = files.map((file) => file.path);
  for (const name of ["index.js", "index.d.ts", "protocol.d.ts", "README.md", "outcrop_client.js", "outcrop_client_bg.wasm"]) {
    assert.ok(names.includes(name), `${name} is not in the package: ${names.join(", ")}`);
  }
  return filename;
}

function install(tarball) {
  cpSync(join(HERE, "app"), folder, { recursive: true });
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "www", "package.json"), "utf8"));
  const { vite, typescript } = devDependencies;
  const manifest = { private: true, type: "module", dependencies: { "@outcrop/client": `file:${tarball}` }, devDependencies: { vite, typescript } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  run("npm", "install", "--no-audit", "--no-fund", "--prefer-offline");
}

function hasNothingForeign(installed) {
  for (const path of filesIn(installed)) {
    const bytes = readFileSync(path);
    for (const text of FOREIGN.filter(Boolean)) assert.ok(!bytes.includes(text), `${path} holds ${text}`);
  }
}

function builtWithTheModule() {
  const built = filesIn(join(folder, "dist"));
  const module = built.find((path) => path.endsWith(".wasm"));
  assert.ok(module, `no .wasm in ${built.join(", ")}`);
  assert.ok(WebAssembly.validate(readFileSync(module)));
  const loaded = built.filter((path) => /\.(js|wasm)$/.test(path));
  const brotli = loaded.map((path) => [path.split("/").at(-1), statSync(path).size, brotliCompressSync(readFileSync(path)).length]);
  const total = brotli.reduce((sum, [, , size]) => sum + size, 0);
  for (const [name, raw, size] of brotli) console.log(`${name}: ${raw} bytes, brotli ${size}`);
  console.log(`all that a browser loads of an app with one call: brotli ${total}`);
  assert.ok(total <= MAX_BROTLI_BYTES, `${total} bytes are more than ${MAX_BROTLI_BYTES}`);
}

function filesIn(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function run(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: folder, encoding: "utf8", timeout: COMMAND_TIMEOUT_MS, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`);
  }
}
