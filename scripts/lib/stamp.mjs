// Stamps: a task is up to date when the content it was made from is unchanged and what it made still exists.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STATE } from "./paths.mjs";

const NEVER_AN_INPUT = new Set(["node_modules", "target", "dist", "pkg", ".git", ".vite", "test-results"]);

/** A hash over the names and contents of `files` (folders are walked; a missing path counts as such) and over `facts`. */
export function fingerprint(root, files, facts = []) {
  const hash = createHash("sha256");
  for (const fact of facts) hash.update(`fact\0${fact}\0`);
  for (const file of [...files].sort()) {
    for (const path of walk(root, file)) {
      hash.update(`file\0${path}\0`);
      const absolute = join(root, path);
      hash.update(existsSync(absolute) ? readFileSync(absolute) : "missing");
    }
  }
  return hash.digest("hex");
}

/** Stamps of one checkout, one small file each. */
export class Stamps {
  constructor(folder = join(STATE, "stamps")) {
    this.folder = folder;
  }

  matches(id, value, outputs) {
    const path = join(this.folder, id);
    return existsSync(path) && readFileSync(path, "utf8") === value && outputs.every((output) => existsSync(output));
  }

  /** Forgets a stamp before its task runs, so that an interrupted task runs again. */
  clear(id) {
    rmSync(join(this.folder, id), { force: true });
  }

  save(id, value) {
    mkdirSync(this.folder, { recursive: true });
    const path = join(this.folder, id);
    writeFileSync(`${path}.new`, value);
    renameSync(`${path}.new`, path);
  }
}

function walk(root, path) {
  const absolute = join(root, path);
  if (!existsSync(absolute) || !statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute)
    .filter((name) => !NEVER_AN_INPUT.has(name))
    .sort()
    .flatMap((name) => walk(root, join(path, name)));
}
