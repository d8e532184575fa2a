// The npm package @outcrop/client in client-wasm/pkg: compiled and bound by wasm-pack, made small by wasm-opt and rolldown.

import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assemble, HAND_WRITTEN, OUT_NAME, sourceMap, SURFACE, WASM_FILE } from "../lib/client-package.mjs";
import { CLIENT_PACKAGE, ROOT, STATE } from "../lib/paths.mjs";
import { npmForDashboard } from "./npm.mjs";
import { wasmTools } from "./tools.mjs";
import { wasmCompilerVersion, wasmEnvironment, wasmRust } from "./wasm-rust.mjs";

/** What rustc emits for wasm32-unknown-unknown since 1.87, in wasm-opt's names. No more: it must run wherever rustc's output does. */
const FEATURES = ["bulk-memory", "bulk-memory-opt", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

const INPUTS = [
  ...["Cargo.toml", "Cargo.lock", "client-core", "protocol", "data", "LICENSE-MIT", "LICENSE-APACHE"],
  ...["Cargo.toml", "src", "npm"].map((name) => join("client-wasm", name)),
  ...["lib/client-package.mjs", "tasks/client.mjs"].map((name) => join("scripts", name)),
];

export const clientPackage = {
  id: "client-package",
  title: "browser client (wasm package)",
  needs: [wasmRust, wasmTools, npmForDashboard],
  inputs: () => ({ files: INPUTS, facts: [wasmCompilerVersion()], outputs: [join(CLIENT_PACKAGE, WASM_FILE), join(CLIENT_PACKAGE, "index.js")] }),
  async run(step) {
    const staging = join(STATE, "client-staging");
    rmSync(staging, { recursive: true, force: true });
    const args = ["build", "client-wasm", "--target", "web", "--out-dir", staging, "--out-name", OUT_NAME];
    const limits = ["--profile", "wasm", "--mode", "no-install", "--no-opt", "--no-pack"];
    await step.run("wasm-pack", [...args, ...limits], { env: wasmEnvironment() });
    await optimise(step, join(staging, WASM_FILE));
    const glue = join(staging, `${OUT_NAME}.js`);
    writeFileSync(glue, (await stripped(step, glue)).code);
    for (const name of SURFACE) await writeSurface(step, name, staging);
    assemble(staging);
  },
};

/** A file of the surface without comments and blanks, and a source map that has it as it was written. */
async function writeSurface(step, name, folder) {
  const { code, map } = await stripped(step, join(HAND_WRITTEN, name));
  writeFileSync(join(folder, name), `${code}\n//# sourceMappingURL=${sourceMap(name)}\n`);
  writeFileSync(join(folder, sourceMap(name)), JSON.stringify({ ...map, file: name, sources: [`src/${name}`] }));
}

/**
 * Takes comments and blanks out of JavaScript: a page that no bundler has been at loads it as it is. Names stay, so that a stack trace can
 * be read.
 */
async function stripped(step, path) {
  // Not there before npm has run.
  const { minifySync } = await import("rolldown/utils");
  const options = { module: true, mangle: false, compress: false, codegen: { legalComments: "none" }, sourcemap: true };
  const { code, map, errors } = minifySync(path, readFileSync(path, "utf8"), options);
  if (errors.length > 0) throw step.failure(`${path} cannot be read: ${errors[0].message}`);
  return { code, map };
}

async function optimise(step, wasm) {
  const smaller = `${wasm}.opt`;
  const args = [wasm, "-Oz", "--converge", ...FEATURES.map((name) => `--enable-${name}`), "-o", smaller];
  await step.run(join(ROOT, "node_modules", ".bin", "wasm-opt"), args);
  if (!existsSync(smaller) || statSync(smaller).size === 0) throw step.failure("wasm-opt wrote nothing");
  renameSync(smaller, wasm);
}
