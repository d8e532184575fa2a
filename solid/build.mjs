// Makes dist/, what the package ships: types, the sources as plain JavaScript with JSX (for bundlers that compile Solid themselves, for
// browsers and for servers), the same compiled for browsers and for servers, and the style sheets.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bundleAsync } from "lightningcss";
import { build } from "vite";
import solid from "vite-plugin-solid";
import manifest from "./package.json" with { type: "json" };

const HERE = import.meta.dirname;
const DIST = join(HERE, "dist");
const ENTRIES = ["index", "usage", "format"];
const STYLES = ["styles.css", "usage.css"];

rmSync(DIST, { recursive: true, force: true });
compile("--outDir", "dist/source", "--jsx", "preserve");
await bundle("dist", "dom");
await bundle("dist/server", "ssr");
for (const name of STYLES) await styleSheet(name);

function compile(...args) {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", ...args], { cwd: HERE, stdio: "inherit" });
}

/** One module per entry and one per part that is loaded later; what the package depends on stays an import. */
async function bundle(outDir, generate) {
  const foreign = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  await build({
    root: HERE,
    configFile: false,
    logLevel: "warn",
    plugins: [solid({ solid: { generate, hydratable: false } })],
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      minify: false,
      sourcemap: true,
      lib: { entry: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])), formats: ["es"] },
      rollupOptions: {
        external: (id) => foreign.some((name) => id === name || id.startsWith(`${name}/`)),
        output: { entryFileNames: "[name].js", chunkFileNames: "parts/[name].js" },
      },
    },
  });
}

async function styleSheet(name) {
  const { code } = await bundleAsync({
    filename: join(HERE, "src", name),
    minify: true,
    resolver: { resolve: (specifier, from) => (specifier.startsWith(".") ? join(dirname(from), specifier) : createRequire(from).resolve(specifier)) },
  });
  mkdirSync(DIST, { recursive: true });
  writeFileSync(join(DIST, name), code);
}
