// The real proxy, serving the real dashboard.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { startProgram } from "./program.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PROXY = process.env.OUTCROP_PROXY_BIN ?? resolve(ROOT, "target/debug/outcrop-proxy");
const WWW = process.env.OUTCROP_WWW_DIR ?? resolve(ROOT, "www/dist");

/**
 * Starts the proxy; resolves once it listens. `port` 0 takes a free one. It is in demo mode, where `tokensPerSecond` 0 is as fast as it
 * can, unless `env` says where Bedrock is.
 */
export async function startProxy({ port = 0, tokensPerSecond = 0, args = [], env } = {}) {
  if (!existsSync(WWW)) throw new Error(`${WWW} is missing: build the dashboard first (npm test does)`);
  const demo = env === undefined ? ["--demo", "--demo-pace", String(tokensPerSecond)] : [];
  return startProgram(PROXY, ["serve", "--listen", `127.0.0.1:${port}`, ...demo, "--www", WWW, ...args], env);
}
