import { fileURLToPath } from "node:url";
import solid from "vite-plugin-solid";
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.js";

/** The components' sources, so that a change to them is seen at once; what is imported is what the package exports. */
const COMPONENTS = fileURLToPath(new URL("../solid/src", import.meta.url));

export default defineConfig({
  plugins: [solid(), precompress()],
  resolve: {
    alias: [
      { find: /^@outcrop\/solid$/, replacement: `${COMPONENTS}/index.ts` },
      { find: /^@outcrop\/solid\/(\w+)$/, replacement: `${COMPONENTS}/$1.ts` },
      { find: /^@outcrop\/solid\/(\w+\.css)$/, replacement: `${COMPONENTS}/$1` },
    ],
  },
  server: { port: 5173, strictPort: true },
  build: {
    target: "es2023",
    // The first that know `light-dark()`. For older ones `:dir()` would be written as a guess from the language.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // A data: URL needs a looser content security policy than a file does.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
  },
});
