// Where the programs are, and how each server is started.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { pause, start, stop, until } from "./children.mjs";
import { SCRIPT } from "./scenarios.mjs";

export const BENCH = resolve(dirname(fileURLToPath(import.meta.url)), "..");
export const ROOT = dirname(BENCH);
const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR || "target");

export const PROXY = process.env.OUTCROP_PROXY_BIN || join(TARGET, "release", "outcrop-proxy");
export const EMULATOR = process.env.BEDROCK_EMULATOR_BIN || join(TARGET, "release", "bedrock-emulator");
export const LOAD = process.env.OUTCROP_LOAD_BIN || join(TARGET, "release", "outcrop-load");
export const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";

/** What both servers sign with; it opens nothing but the emulator. */
const CREDENTIALS = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDBENCHEXAMPLE", AWS_SECRET_ACCESS_KEY: "bench-secret-access-key-example" };
export const API_KEY = "bench-api-key-example";
/** The environment that servers must not inherit: whose it is would change what is measured. */
const UNSET = { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined, AWS_BEARER_TOKEN_BEDROCK: undefined, AWS_ENDPOINT_URL: undefined, BEDROCK_MODEL_ID: undefined };

/** Room for the largest measurement; the proxy's own limit is meant for one machine's users. */
const MAX_SOCKETS = 6_000;
const VALGRIND_START_MS = 120_000;

/** Builds the load generator if no path to one was given, and says which other program is missing. */
export function prepare() {
  if (!process.env.OUTCROP_LOAD_BIN) {
    execFileSync("cargo", ["build", "--release", "-q", "-p", "outcrop-bench"], { cwd: ROOT, stdio: "inherit" });
  }
  for (const [path, name] of [[PROXY, "outcrop-proxy"], [EMULATOR, "bedrock-emulator"]]) {
    if (!existsSync(path)) throw new Error(`${name} is not built; run "npm run bench" at the root of the checkout, which builds it`);
  }
}

/** The loopback Bedrock, with the scripted prompts of all measurements. */
export async function startEmulator() {
  const folder = mkdtempSync(join(tmpdir(), "outcrop-bench-"));
  const script = join(folder, "script.json");
  writeFileSync(script, JSON.stringify(SCRIPT));
  const args = ["--listen", "127.0.0.1:0", "--script", script, "--no-prefixes", "--ledger-capacity", "16", "--region", CREDENTIALS.AWS_REGION];
  const keys = ["--access-key-id", CREDENTIALS.AWS_ACCESS_KEY_ID, "--secret-access-key", CREDENTIALS.AWS_SECRET_ACCESS_KEY, "--api-key", API_KEY];
  const child = start(EMULATOR, [...args, ...keys]);
  try {
    const url = await until(child, () => child.stdoutText.match(/http:\/\/[\d.]+:\d+/)?.[0], "the emulator listens");
    return { child, url, address: url.slice("http://".length) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The Outcrop proxy, with the store that it has by default, empty, or another; with `wrapper`, under a tool such as valgrind; with
 * `www`, serving the page in this folder.
 */
export async function startOutcrop(emulator, { wrapper = [], store = "sqlite", www } = {}) {
  const address = `127.0.0.1:${await freePort()}`;
  const env = { ...UNSET, ...CREDENTIALS, BEDROCK_ENDPOINT_URL: emulator.url, OUTCROP_MAX_SOCKETS: String(MAX_SOCKETS) };
  const data = mkdtempSync(join(tmpdir(), "outcrop-bench-"));
  const [command, ...args] = [...wrapper, PROXY, "serve", "--auth", "off", "--listen", address, "--store", store, "--data-dir", data, ...(www ? ["--www", www] : [])];
  const child = start(command, args, { env }).once("close", () => rmSync(data, { recursive: true }));
  return serving("Outcrop", address, child, wrapper.length > 0 ? VALGRIND_START_MS : undefined);
}

/** The Node reference; with `www`, the one that serves the page in this folder and its answers as server-sent events. */
export async function startNode(emulator, { www } = {}) {
  const port = await freePort();
  const env = { ...UNSET, ...CREDENTIALS, BEDROCK_ENDPOINT_URL: emulator.url, PORT: String(port), NODE_ENV: "production", WWW: www };
  return serving("Node", `127.0.0.1:${port}`, start(process.execPath, [join(BENCH, "node", www ? "sse.mjs" : "server.mjs")], { env }));
}

/** Starts both, runs `work` with them, ends both. */
export async function withServers(emulator, work) {
  const servers = { outcrop: await startOutcrop(emulator), node: await startNode(emulator) };
  try {
    return await work(servers);
  } finally {
    await Promise.all(Object.values(servers).map((server) => stop(server.child)));
  }
}

async function serving(name, address, child, timeoutMs) {
  await until(child, () => fetch(`http://${address}/healthz`).then((answer) => answer.ok, () => false), `${name} serves`, timeoutMs);
  // What a server still does after it began to serve is not part of a measurement.
  await pause(300);
  return { name, address, child, pid: child.pid };
}

function freePort() {
  return new Promise((done, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
