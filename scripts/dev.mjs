// `npm run dev`: the proxy on 3001 and the dashboard with hot reload on 5173, until Ctrl-C ends both.

import { join } from "node:path";
import { ROOT } from "./lib/paths.mjs";
import { runTogether } from "./lib/prefixed.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { clientPackage } from "./tasks/client.mjs";
import { DEV_PROXY, devProxy, withAuth } from "./tasks/proxy.mjs";

export async function main(args) {
  await new TaskRunner().ensureOrStop(devProxy, clientPackage);
  return runTogether([
    { name: "proxy", command: DEV_PROXY, args: ["serve", "--demo=auto", ...args], cwd: ROOT, env: withAuth() },
    { name: "vite", command: join(ROOT, "node_modules", ".bin", "vite"), args: ["--port", "5173", "--strictPort"], cwd: join(ROOT, "www") },
  ]);
}
