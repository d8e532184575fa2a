// The npm package @outcrop/solid: solid/dist.

import { join } from "node:path";
import { ROOT } from "../lib/paths.mjs";
import { clientPackage } from "./client.mjs";
import { npmForDashboard } from "./npm.mjs";

export const SOLID_PACKAGE = join(ROOT, "solid");

export const solidPackage = {
  id: "solid-package",
  title: "SolidJS components (package)",
  needs: [npmForDashboard, clientPackage],
  inputs: () => ({ files: ["solid", "tsconfig.base.json", "client-wasm/pkg", "package-lock.json"], outputs: [join(SOLID_PACKAGE, "dist", "index.js")] }),
  run: (step) => step.run("npm", ["run", "build", "-w", "solid"]),
};
