// The dashboard's files for the proxy to serve: www/dist.

import { join } from "node:path";
import { ROOT } from "../lib/paths.mjs";
import { clientPackage } from "./client.mjs";
import { npmForDashboard } from "./npm.mjs";

export const DASHBOARD = join(ROOT, "www", "dist");

export const dashboard = {
  id: "dashboard",
  title: "dashboard",
  needs: [npmForDashboard, clientPackage],
  inputs: () => ({ files: ["www", "solid/src", "solid/package.json", "tsconfig.base.json", "client-wasm/pkg", "package-lock.json"], outputs: [join(DASHBOARD, "index.html")] }),
  run: (step) => step.run("npm", ["run", "build", "-w", "www"]),
};
