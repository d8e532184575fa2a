import solid from "vite-plugin-solid";
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.js";

export default defineConfig({
  plugins: [solid(), precompress()],
  server: { port: 5173, strictPort: true },
  build: {
    target: "es2023",
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
