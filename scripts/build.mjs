// `npm run build`: the npm packages, the dashboard and the proxy (release), without starting anything. With names, such as `client solid`,
// only these.

import { Advice } from "./lib/failures.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { clientPackage } from "./tasks/client.mjs";
import { dashboard } from "./tasks/dashboard.mjs";
import { releaseProxy } from "./tasks/proxy.mjs";
import { solidPackage } from "./tasks/solid.mjs";

const PARTS = { client: clientPackage, solid: solidPackage, dashboard, proxy: releaseProxy };

export async function main(names) {
  for (const name of names) {
    if (!(name in PARTS)) throw new Advice(`npm run build knows ${Object.keys(PARTS).join(", ")}; not ${name}.`);
  }
  await new TaskRunner().ensureOrStop(...(names.length === 0 ? Object.values(PARTS) : names.map((name) => PARTS[name])));
  return 0;
}
