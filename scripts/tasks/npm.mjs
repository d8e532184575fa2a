// npm's packages. `npm ci` into an empty checkout, `npm install` into a used one, so that nothing is fetched twice.

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeManifest } from "../lib/client-package.mjs";
import { ROOT } from "../lib/paths.mjs";

const MODULES = join(ROOT, "node_modules");

/** Lie inside node_modules and go with it. */
const DASHBOARD_MARKER = join(MODULES, ".outcrop-dashboard");
const ALL_MARKER = join(MODULES, ".outcrop-all");

/** Every file that says which packages are wanted. */
const WORKSPACES = ["solid", "www", "e2e", "bench", "bedrock-emulator/tests/clients", "tools/tests/servers", "docs/tests"];
const INPUTS = ["package.json", "package-lock.json", ".npmrc", ...WORKSPACES.map((name) => `${name}/package.json`)];

/** What building the client and the dashboard needs. */
export const npmForDashboard = {
  id: "npm-dashboard",
  title: "npm packages of the dashboard",
  inputs: () => inputs(DASHBOARD_MARKER),
  run: (step) => install(step, ["-w", "www", "-w", "solid", "--include-workspace-root"], DASHBOARD_MARKER),
};

/** What all workspaces need. */
export const npmAll = {
  id: "npm-all",
  title: "npm packages of all workspaces",
  // Two npm at once in one folder would be in each other's way.
  needs: [npmForDashboard],
  inputs: () => inputs(ALL_MARKER),
  run: (step) => install(step, [], ALL_MARKER),
};

function inputs(marker) {
  return { files: INPUTS, facts: [process.version], outputs: [marker] };
}

async function install(step, scope, marker) {
  rmSync(ALL_MARKER, { force: true });
  // The link to the client's package needs its package.json, which is not in git.
  writeManifest();
  const fresh = !existsSync(MODULES) && existsSync(join(ROOT, "package-lock.json"));
  await step.run("npm", [fresh ? "ci" : "install", ...scope]);
  writeFileSync(marker, "");
}
