// Virtual environments for tests in Python, in the cache folder, one per content of requirements.txt.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "./paths.mjs";
import { quick } from "./system.mjs";

/** Returns the interpreter of an environment with what `requirements` names, made on first use. */
export async function pythonEnvironment(step, requirements) {
  const wanted = `${quick("python3", ["--version"])}\n${readFileSync(requirements, "utf8")}`;
  const folder = join(CACHE, "python", createHash("sha256").update(wanted).digest("hex").slice(0, 16));
  const interpreter = join(folder, "bin", "python");
  const finished = join(folder, "outcrop-finished");
  if (!existsSync(finished)) {
    rmSync(folder, { recursive: true, force: true });
    await step.run("python3", ["-m", "venv", folder]);
    await step.run(interpreter, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
    writeFileSync(finished, "");
  }
  return interpreter;
}
