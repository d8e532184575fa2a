// The real proxy, serving the real dashboard.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startProgram } from "./program.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PROXY = process.env.OUTCROP_PROXY_BIN ?? resolve(ROOT, "target/debug/outcrop-proxy");
const WWW = process.env.OUTCROP_WWW_DIR ?? resolve(ROOT, "www/dist");

/**
 * Starts the proxy; resolves once it listens. `port` 0 takes a free one. It is in demo mode, where `tokensPerSecond` 0 is as fast as it
 * can, unless `env` says where Bedrock is; `demo` has it in demo mode with an `env` as well. It begins without conversations, unless `data` is that of a proxy before it.
 */
export async function startProxy({ port = 0, tokensPerSecond = 0, args = [], env, demo = env === undefined, data = dataFolder() } = {}) {
  if (!existsSync(WWW)) throw new Error(`${WWW} is missing: build the dashboard first (npm test does)`);
  const mode = demo ? ["--demo", "--demo-pace", String(tokensPerSecond)] : ["--auth=auto"];
  const program = await startProgram(PROXY, ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", data, ...mode, "--www", WWW, ...args], env);
  return { ...program, data };
}

const folders = [];
process.once("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder for conversations, removed with this process. */
export function dataFolder() {
  const folder = mkdtempSync(join(tmpdir(), "outcrop-e2e-"));
  folders.push(folder);
  return folder;
}
