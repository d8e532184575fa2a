// What this machine is and has.

import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { StepFailure } from "./failures.mjs";

/** The first `name` on PATH, or null. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/** Whether the scripts may install Debian packages by themselves. */
export function isDebianRoot() {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && onPath("apt-get") !== null;
}

/** Standard output of a quick program, or null when it cannot be run or fails. */
export function quick(command, args, options = {}) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 20_000, ...options }).trim();
  } catch {
    return null;
  }
}

/** Whether Debian's package database has all of `packages` installed. */
export function hasDebianPackages(packages) {
  const listed = quick("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...packages]);
  if (listed === null) return false;
  const installed = new Set(listed.split("\n").filter((line) => line.endsWith(" installed")).map((line) => line.split(" ")[0]));
  return packages.every((name) => installed.has(name));
}

/** Installs Debian packages, one set after the other; waits for another package manager at most ten minutes. */
export function installDebianPackages(step, packages) {
  const turn = debianTurn.then(() => install(step, packages));
  debianTurn = turn.catch(() => {});
  return turn;
}

let debianTurn = Promise.resolve();

async function install(step, packages) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  try {
    await step.run("apt-get", ["update", "-q"], { env });
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    step.note("The package lists could not be updated: trying with those that are here.");
  }
  await step.run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600", ...packages], { env });
}

/** Compares dotted versions number by number: negative, zero or positive. */
export function compareVersions(left, right) {
  const [a, b] = [left, right].map((version) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The version of a crate in Cargo.lock, or null. */
export function lockedVersion(lockPath, crate) {
  const found = readFileSync(lockPath, "utf8").match(new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`));
  return found ? found[1] : null;
}
