// The npm package @outcrop/client in client-wasm/pkg: compiled and bound by wasm-pack, made small by wasm-opt and rolldown.

import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assemble, OUT_NAME, WASM_FILE } from "../lib/client-package.mjs";
import { CLIENT_PACKAGE, ROOT, STATE } from "../lib/paths.mjs";
import { npmForDashboard } from "./npm.mjs";
import { wasmTools } from "./tools.mjs";
import { wasmCompilerVersion, wasmEnvironment, wasmRust } from "./wasm-rust.mjs";

/** What rustc emits for wasm32-unknown-unknown since 1.87, in wasm-opt's names. No more: it must run wherever rustc's output does. */
const FEATURES = ["bulk-memory", "bulk-memory-opt", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

const INPUTS = ["Cargo.toml", "Cargo.lock", "client-wasm", "client-core", "protocol", "data", "scripts/lib/client-package.mjs", "scripts/tasks/client.mjs"];

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
    await strip(step, join(staging, `${OUT_NAME}.js`));
    assemble(staging);
  },
};

/** Takes comments and blanks out of wasm-bindgen's glue. Names stay, so that a stack trace can be read. */
async function strip(step, glue) {
  // Not there before npm has run.
  const { minifySync } = await import("rolldown/utils");
  const { code, errors } = minifySync(glue, readFileSync(glue, "utf8"), { module: true, mangle: false, compress: false });
  if (errors.length > 0) throw step.failure(`the glue cannot be read: ${errors[0].message}`);
  writeFileSync(glue, code);
}

async function optimise(step, wasm) {
  const smaller = `${wasm}.opt`;
  const args = [wasm, "-Oz", "--converge", ...FEATURES.map((name) => `--enable-${name}`), "-o", smaller];
  await step.run(join(ROOT, "node_modules", ".bin", "wasm-opt"), args);
  if (!existsSync(smaller) || statSync(smaller).size === 0) throw step.failure("wasm-opt wrote nothing");
  renameSync(smaller, wasm);
}
