// The chat page in two makes, built as for production and served: on Outcrop, and on TanStack AI.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { stop } from "./children.mjs";
import { BENCH, ROOT, startNode, startOutcrop } from "./programs.mjs";

const PAGES = join(BENCH, "pages");

/** Builds both, starts their servers, runs `work({ ours, other })`, ends them. */
export async function withPages(emulator, work) {
  if (!existsSync(join(ROOT, "client-wasm", "pkg", "index.js"))) throw new Error('the client package is not built; run "npm run build -- client"');
  const servers = {
    ours: await startOutcrop(emulator, { www: await built("outcrop") }),
    other: await startNode(emulator, { www: await built("tanstack") }),
  };
  try {
    return await work(servers);
  } finally {
    await Promise.all(Object.values(servers).map((server) => stop(server.child)));
  }
}

/** The page's folder, made as the dashboard is. */
async function built(name) {
  const { build } = await import("vite");
  await build({ root: join(PAGES, name), configFile: join(ROOT, "www", "vite.config.ts"), logLevel: "error" });
  return join(PAGES, name, "dist");
}
