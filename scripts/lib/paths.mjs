// Where things are. Inside the checkout: what belongs to it. In the cache folder: what one machine needs once.

import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Tools and toolchains, shared by all checkouts of this user. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "outcrop");

/** Cargo's target folder for native builds; `CARGO_TARGET_DIR` moves it. */
export const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR || "target");

/** Cargo's target folder for browser builds: another compiler may be at work there, and locks must not collide. */
export const WASM_TARGET = join(TARGET, "client-wasm");

/** Logs, stamps and staging folders of the scripts; removing it costs only time. */
export const STATE = join(ROOT, "target", "outcrop");

export const TOOLS = join(CACHE, "tools");
export const TOOLS_BIN = join(TOOLS, "bin");
export const CLIENT_PACKAGE = join(ROOT, "client-wasm", "pkg");

/** The path from the root of the checkout, for messages. */
export function shown(path) {
  return path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length + 1) : path;
}
