// The compiler for native builds: the one the person installed. Checked, never replaced.

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { Advice } from "../lib/failures.mjs";
import { compareVersions, installDebianPackages, isDebianRoot, onPath, quick } from "../lib/system.mjs";
import { OLDEST_RUST } from "../lib/versions.mjs";

/** Cargo, a Rust new enough, and a C compiler to link with. */
export const rust = {
  id: "rust",
  title: "Rust and a C compiler",
  ready() {
    findCargo();
    checkVersion(quick("rustc", ["--version"]));
    return onPath("cc") !== null;
  },
  async run(step) {
    if (!isDebianRoot()) throw new Advice("A C compiler is missing (`cc`). Install one (Debian, Ubuntu: `sudo apt-get install gcc libc6-dev`; macOS: `xcode-select --install`) and run this again.");
    await installDebianPackages(step, ["gcc", "libc6-dev"]);
  },
};

function findCargo() {
  if (onPath("cargo") !== null) return;
  const rustupBin = join(homedir(), ".cargo", "bin");
  if (!existsSync(join(rustupBin, "cargo"))) {
    throw new Advice("Rust is missing. Install it as https://rustup.rs says, open a new terminal and run this again.");
  }
  process.env.PATH = `${rustupBin}${delimiter}${process.env.PATH}`;
}

/** Throws when `rustc --version` printed nothing usable or a version that is too old. */
export function checkVersion(printed) {
  const version = printed?.match(/^rustc (\d+\.\d+\.\d+)/)?.[1];
  if (version === undefined) throw new Advice("`rustc --version` does not work. Run `rustup default stable` and try again.");
  if (compareVersions(version, OLDEST_RUST) < 0) {
    throw new Advice(`Rust ${OLDEST_RUST} or newer is needed; this is ${version}. Run \`rustup update stable\` and try again.`);
  }
}
