// The emulator as a program of its own, so that its ledger can be read.

import { resolve } from "node:path";
import { startProgram } from "./program.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const EMULATOR = process.env.BEDROCK_EMULATOR_BIN ?? resolve(ROOT, "target/debug/bedrock-emulator");
const KEYS = { id: "AKIDPAGEEXAMPLE", secret: "page-secret-access-key-example" };

/** How long the ledger may take to become what a test waits for. */
const LEDGER_TIMEOUT_MS = 20_000;

/** Starts one that answers at this pace, with this in its environment. `env` of what it returns leads a proxy to it. */
export async function startEmulator({ tokensPerSecond, env = {} }) {
  const keys = ["--access-key-id", KEYS.id, "--secret-access-key", KEYS.secret];
  const pace = ["--pace", String(tokensPerSecond), "--first-token-ms", "0"];
  const program = await startProgram(EMULATOR, ["--listen", "127.0.0.1:0", ...pace, ...keys], env);
  const calls = async () => (await fetch(`${program.url}/_emulator/ledger`)).json();
  return {
    ...program,
    env: { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: KEYS.id, AWS_SECRET_ACCESS_KEY: KEYS.secret, BEDROCK_ENDPOINT_URL: program.url },
    /** The calls so far, the oldest first. */
    calls,
    /** Plays these steps from now on. */
    async script(steps) {
      const response = await fetch(`${program.url}/_emulator/script`, { method: "PUT", body: JSON.stringify({ steps }) });
      if (!response.ok) throw new Error(await response.text());
    },
    async forget() {
      await fetch(`${program.url}/_emulator/ledger`, { method: "DELETE" });
    },
    /** Waits until there are this many calls, and until the last one has ended if `ended` says so. */
    async waitFor(count, { ended = false } = {}) {
      const until = performance.now() + LEDGER_TIMEOUT_MS;
      for (;;) {
        const found = await calls();
        if (found.length >= count && (!ended || found.at(-1).outcome !== "running")) return found;
        if (performance.now() > until) throw new Error(`the emulator has ${found.length} calls: ${JSON.stringify(found)}`);
      }
    },
  };
}
