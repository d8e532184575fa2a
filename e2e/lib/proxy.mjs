// The real proxy in demo mode, serving the real dashboard.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");
const PROXY = process.env.OUTCROP_PROXY_BIN ?? resolve(ROOT, "target/debug/outcrop-proxy");
const WWW = process.env.OUTCROP_WWW_DIR ?? resolve(ROOT, "www/dist");

/** How long the proxy may take to listen. */
const START_TIMEOUT_MS = 30_000;

/** Starts the proxy; resolves once it listens. `port` 0 takes a free one; `tokensPerSecond` 0 is as fast as it can. */
export async function startProxy({ port = 0, tokensPerSecond = 0, args = [] } = {}) {
  for (const path of [PROXY, WWW]) {
    if (!existsSync(path)) throw new Error(`${path} is missing: build the proxy and the dashboard first (npm test does)`);
  }
  const pace = ["--demo-pace", String(tokensPerSecond)];
  const listen = ["--listen", `127.0.0.1:${port}`];
  const child = spawn(PROXY, ["serve", ...listen, "--demo", ...pace, "--www", WWW, ...args], { stdio: ["ignore", "pipe", "pipe"], env: environment() });
  const output = [];
  const ended = once(child, "exit");
  createInterface({ input: child.stderr }).on("line", (line) => output.push(line));
  const url = await listening(child, output);
  return {
    url,
    port: Number(new URL(url).port),
    /** Ends it as a crash would: no close frame is sent. */
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

function listening(child, output) {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(new Error(`the proxy did not listen in ${START_TIMEOUT_MS} ms:\n${output.join("\n")}`));
    }, START_TIMEOUT_MS);
    createInterface({ input: child.stdout }).on("line", (line) => {
      output.push(line);
      const url = /listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        clearTimeout(timer);
        done(url);
      }
    });
    child.once("error", fail);
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(new Error(`the proxy ended with ${code}:\n${output.join("\n")}`));
    });
  });
}

/** The environment without settings of the proxy or AWS: a test starts from the defaults. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(OUTCROP_|AWS_|BEDROCK_)/.test(name)));
}
