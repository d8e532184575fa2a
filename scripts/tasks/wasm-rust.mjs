// A compiler with the standard library for wasm32-unknown-unknown. Tried in this order: the compiler in use has it; rustup adds it;
// on Debian as root, Debian's own rustc is installed beside it and std is built from Debian's sources, once per machine.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { Advice, StepFailure } from "../lib/failures.mjs";
import { CACHE, ROOT, TOOLS, TOOLS_BIN, WASM_TARGET } from "../lib/paths.mjs";
import { hasDebianPackages, installDebianPackages, isDebianRoot, onPath, quick } from "../lib/system.mjs";
import { WASM_BINDGEN, WASM_PACK } from "../lib/versions.mjs";
import { rust } from "./rust.mjs";

const WASM = "wasm32-unknown-unknown";
const RUSTUP_TIMEOUT_MS = 180_000;
const DEBIAN_PACKAGES = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_BIN = "/usr/bin";
const DEBIAN_LINKER = join(DEBIAN_BIN, "wasm-ld-22");

/** Holds links to Debian's compiler only: first on PATH in browser builds, without the rest of /usr/bin. */
const DEBIAN_RUST_BIN = join(CACHE, "debian-rust", "bin");

/** Names the compiler whose std lies in the folder: another one would refuse it. */
const STD_MARKER = "outcrop-built-by";

export const wasmRust = {
  id: "wasm-rust",
  title: "Rust for the browser (wasm32)",
  needs: [rust],
  ready: () => activeHasWasm() || debianHasWasm(),
  async run(step) {
    if (await rustupAddsWasm(step)) return;
    if (!isDebianRoot()) throw new Advice(WITHOUT_DEBIAN);
    if (!hasDebianPackages(DEBIAN_PACKAGES)) await installDebianPackages(step, DEBIAN_PACKAGES);
    linkDebianRust();
    if (!debianHasWasm()) await installStd(step);
  },
};

/** The environment for browser builds. Native builds must not have it: they keep the compiler in use. */
export function wasmEnvironment() {
  const debian = !activeHasWasm();
  return {
    PATH: [...(debian ? [DEBIAN_RUST_BIN] : []), TOOLS_BIN, process.env.PATH].join(delimiter),
    CARGO_TARGET_DIR: WASM_TARGET,
    CARGO_ENCODED_RUSTFLAGS: remappedPaths().map(([from, to]) => `--remap-path-prefix=${from}=${to}`).join("\x1f"),
    ...(debian ? { RUSTUP_TOOLCHAIN: undefined, RUSTC: undefined, CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: DEBIAN_LINKER } : {}),
  };
}

/** Panic messages name source files; a package that people install names none of this machine's folders. */
function remappedPaths() {
  const home = process.env.CARGO_HOME || join(homedir(), ".cargo");
  const sources = join(home, "registry", "src");
  const registries = existsSync(sources) ? readdirSync(sources).map((name) => join(sources, name)) : [];
  // Where several prefixes fit, the last one counts.
  return [[ROOT, "."], [home, "cargo"], ...registries.map((folder) => [folder, "crates"])];
}

/** What the compiler for browser builds calls itself. */
export function wasmCompilerVersion() {
  return quick(activeHasWasm() ? "rustc" : join(DEBIAN_BIN, "rustc"), ["-vV"]);
}

const WITHOUT_DEBIAN = `\
Rust cannot build for the browser yet. Run this, then the same command again:

  rustup target add ${WASM}

Two tools are needed besides; the script installs them into ${TOOLS} unless you have these versions:

  cargo install wasm-bindgen-cli --version ${WASM_BINDGEN}
  cargo install wasm-pack --version ${WASM_PACK}

Where rustup can download nothing, Debian as root needs none of them: the script installs Debian's own compiler
(${DEBIAN_PACKAGES.join(" ")}) and builds the rest.`;

function activeHasWasm() {
  const folder = quick("rustc", ["--print", "target-libdir", "--target", WASM]);
  return folder !== null && existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("libstd"));
}

function debianHasWasm() {
  const marker = join(debianStdFolder(), STD_MARKER);
  return existsSync(marker) && existsSync(DEBIAN_LINKER) && existsSync(join(DEBIAN_RUST_BIN, "rustc"))
    && readFileSync(marker, "utf8") === quick(join(DEBIAN_BIN, "rustc"), ["-vV"]);
}

async function rustupAddsWasm(step) {
  if (onPath("rustup") === null) return false;
  try {
    await step.run("rustup", ["target", "add", WASM], { timeoutMs: RUSTUP_TIMEOUT_MS, env: { RUST_BACKTRACE: "0" } });
    return activeHasWasm();
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    step.note("rustup cannot fetch the target: trying Debian's compiler.");
    return false;
  }
}

function linkDebianRust() {
  mkdirSync(DEBIAN_RUST_BIN, { recursive: true });
  for (const name of ["rustc", "cargo", "rustdoc"]) {
    const link = join(DEBIAN_RUST_BIN, name);
    rmSync(link, { force: true });
    symlinkSync(join(DEBIAN_BIN, name), link);
  }
}

function debianStdFolder() {
  return `/usr/lib/rustlib/${WASM}/lib`;
}

/** Takes std from the cache folder, or builds it there first, and puts it where Debian's compiler looks. */
async function installStd(step) {
  const compiler = quick(join(DEBIAN_BIN, "rustc"), ["-vV"]);
  const release = compiler.match(/^release: (.*)$/m)[1];
  const built = join(CACHE, `wasm-std-${release}`);
  if (!existsSync(join(built, STD_MARKER)) || readFileSync(join(built, STD_MARKER), "utf8") !== compiler) {
    await buildStd(step, release, built);
    writeFileSync(join(built, STD_MARKER), compiler);
  }
  const folder = debianStdFolder();
  rmSync(`${folder}.new`, { recursive: true, force: true });
  cpSync(built, `${folder}.new`, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(`${folder}.new`, folder);
}

async function buildStd(step, release, into) {
  const work = join(CACHE, "build", "wasm-std");
  rmSync(work, { recursive: true, force: true });
  rmSync(into, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  // Cargo writes a lock file beside the sources.
  cpSync(`/usr/src/rustc-${release}/library`, join(work, "library"), { recursive: true });
  const features = "panic-unwind,compiler-builtins-mem";
  const args = ["build", "--manifest-path", "sysroot/Cargo.toml", "--target", WASM, "--release", "--features", features];
  await step.run(join(DEBIAN_BIN, "cargo"), args, {
    cwd: join(work, "library"),
    env: {
      RUSTC: join(DEBIAN_BIN, "rustc"),
      RUSTUP_TOOLCHAIN: undefined,
      RUSTC_BOOTSTRAP: "1",
      RUSTFLAGS: "-Cembed-bitcode=yes -Zforce-unstable-if-unmarked",
      CARGO_TARGET_DIR: join(work, "target"),
    },
  });
  const made = join(work, "target", WASM, "release", "deps");
  mkdirSync(into, { recursive: true });
  for (const name of readdirSync(made).filter((file) => file.endsWith(".rlib"))) cpSync(join(made, name), join(into, name));
  rmSync(work, { recursive: true, force: true });
}
