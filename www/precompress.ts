import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import type { Plugin } from "vite";

/** Smaller files gain less than a header costs. */
const MIN_BYTES = 1024;

/** Writes a `.br` beside each file of the build that is worth it; the proxy sends it to browsers that take it. */
export function precompress(): Plugin {
  let folder = "";
  return {
    name: "outcrop-precompress",
    apply: "build",
    configResolved: (config) => void (folder = join(config.root, config.build.outDir)),
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const path = join(folder, name);
        if (!/\.(html|js|css|wasm|svg)$/.test(name) || statSync(path).size < MIN_BYTES) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
      }
    },
  };
}
