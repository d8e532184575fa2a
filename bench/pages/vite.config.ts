import { fileURLToPath } from "node:url";
import solid from "vite-plugin-solid";
import { defineConfig } from "vite";
import { precompress } from "../../www/precompress.ts";

/** Builds one of the pages beside this file: `vite build <page> --config vite.config.ts`. */
export default defineConfig({
  plugins: [solid(), precompress()],
  resolve: { alias: { "@outcrop/solid": fileURLToPath(new URL("../../www/src/components/index.ts", import.meta.url)) } },
  build: { target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false }, emptyOutDir: true },
});
