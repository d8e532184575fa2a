// The native programs. Cargo knows best whether they are up to date, and says so within a second.

import { join } from "node:path";
import { ROOT, TARGET } from "../lib/paths.mjs";
import { rust } from "./rust.mjs";

export const RELEASE_PROXY = join(TARGET, "release", "outcrop-proxy");
export const DEV_PROXY = join(TARGET, "debug", "outcrop-proxy");
export const DEV_EMULATOR = join(TARGET, "debug", "bedrock-emulator");
export const RELEASE_EMULATOR = join(TARGET, "release", "bedrock-emulator");

/** A workspace of its own, so a folder of its own: the one where the tests build it that are run without these scripts. */
const DYNAMODB_TARGET = join(TARGET, "dynamodb-server");
export const DYNAMODB_SERVER = join(DYNAMODB_TARGET, "debug", "dynamodb-server");

export const releaseProxy = built("proxy-release", "proxy (release)", ["--release", "-p", "outcrop-proxy"]);
export const devProxy = built("proxy-dev", "proxy (dev)", ["-p", "outcrop-proxy"]);
export const devEmulator = built("emulator-dev", "Bedrock emulator (dev)", ["-p", "bedrock-emulator"]);
export const releaseEmulator = built("emulator-release", "Bedrock emulator (release)", ["--release", "-p", "bedrock-emulator"]);

export const dynamodbServer = {
  id: "dynamodb-server",
  title: "DynamoDB on loopback",
  needs: [rust],
  run: (step) => step.run("cargo", ["build", "--locked", "--manifest-path", join(ROOT, "dynamodb-server", "Cargo.toml")], { env: { CARGO_TARGET_DIR: DYNAMODB_TARGET } }),
};

function built(id, title, args) {
  return { id, title, needs: [rust], run: (step) => step.run("cargo", ["build", ...args], { env: { CARGO_TARGET_DIR: TARGET } }) };
}

/** The environment of a proxy that is started by hand: without a key it serves this machine only, instead of asking for one. */
export function withAuth() {
  return { OUTCROP_AUTH: "auto", ...process.env };
}
