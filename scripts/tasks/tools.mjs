// Programs that `cargo install` makes, once per machine, in the cache folder. Without optimisation: they run for milliseconds.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE, ROOT, TOOLS, TOOLS_BIN } from "../lib/paths.mjs";
import { Advice } from "../lib/failures.mjs";
import { lockedVersion, quick } from "../lib/system.mjs";
import { GECKODRIVER, WASM_BINDGEN, WASM_PACK } from "../lib/versions.mjs";
import { rust } from "./rust.mjs";

export const wasmTools = installed("wasm-tools", `wasm-bindgen ${WASM_BINDGEN} and wasm-pack ${WASM_PACK}`, [
  { crate: "wasm-bindgen-cli", program: "wasm-bindgen", version: WASM_BINDGEN },
  { crate: "wasm-pack", program: "wasm-pack", version: WASM_PACK },
]);

export const geckodriver = installed("geckodriver", `geckodriver ${GECKODRIVER}`, [
  { crate: "geckodriver", program: "geckodriver", version: GECKODRIVER },
]);

function installed(id, title, tools) {
  const missing = () => tools.filter(({ program, version }) => !hasVersion(program, version));
  return {
    id,
    title,
    needs: [rust],
    ready() {
      checkBindgenVersion();
      return missing().length === 0;
    },
    async run(step) {
      // One of its own: tasks run side by side, and each clears up behind itself.
      const target = join(CACHE, "build", id);
      for (const { crate, version } of missing()) {
        const args = ["install", crate, "--version", version, "--root", TOOLS, "--debug", "--force", "--config", "profile.dev.debug=false"];
        await step.run("cargo", args, { env: { CARGO_TARGET_DIR: target, RUSTFLAGS: undefined } });
      }
      rmSync(target, { recursive: true, force: true });
    },
  };
}

/** The cache folder's copy counts, and so does one of the same version that the person installed. */
function hasVersion(program, version) {
  return [join(TOOLS_BIN, program), program].some((path) => quick(path, ["--version"])?.split(/\s/)[1] === version);
}

/** The program and the crate speak a format of their own that changes with each version. */
function checkBindgenVersion() {
  const locked = lockedVersion(join(ROOT, "Cargo.lock"), "wasm-bindgen");
  if (locked !== null && locked !== WASM_BINDGEN) {
    throw new Advice(`Cargo.lock has wasm-bindgen ${locked}, scripts/lib/versions.mjs has ${WASM_BINDGEN}. Make them equal.`);
  }
}
