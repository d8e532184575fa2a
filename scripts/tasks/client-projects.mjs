// What projects of people who install the client have beside it: bundlers, runtimes and SDKs, for the package's tests. Large, and nothing
// else needs it, so it is no workspace.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/paths.mjs";

export const CLIENT_PROJECTS = join("client-wasm", "tests", "package");
const FOLDER = join(ROOT, CLIENT_PROJECTS);
const MARKER = join(FOLDER, "node_modules", ".outcrop");

export const clientProjects = {
  id: "client-projects",
  title: "bundlers, runtimes and SDKs for the client's tests",
  inputs: () => ({ files: ["package.json", "package-lock.json", ".npmrc"].map((name) => join(CLIENT_PROJECTS, name)), facts: [process.version], outputs: [MARKER] }),
  async run(step) {
    await step.run("npm", ["ci", "--prefer-offline"], { cwd: FOLDER });
    writeFileSync(MARKER, "");
  },
};
