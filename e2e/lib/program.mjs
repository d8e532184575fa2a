// A program under test that says on its standard output where it listens.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

/** How long a program may take to listen, and to end. */
const TIMEOUT_MS = 30_000;

/** Starts `path`; resolves once it listens. `env` is added to an environment without settings of the proxy or AWS: a test starts from the defaults. */
export async function startProgram(path, args, env = {}) {
  if (!existsSync(path)) throw new Error(`${path} is missing: build it first (npm test does)`);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OUTCROP_|AWS_|BEDROCK_)/.test(name));
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...Object.fromEntries(inherited), ...env } });
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
      const force = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

function listening(child, output) {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(new Error(`${child.spawnfile} did not listen in ${TIMEOUT_MS} ms:\n${output.join("\n")}`));
    }, TIMEOUT_MS);
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
      fail(new Error(`${child.spawnfile} ended with ${code}:\n${output.join("\n")}`));
    });
  });
}
