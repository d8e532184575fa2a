// `npm start`: builds what has changed, then serves everything on http://127.0.0.1:3001 until Ctrl-C. Further arguments go to
// `outcrop-proxy serve`: `npm start -- --listen 127.0.0.1:3005`.

import { exitCode, startChild } from "./lib/children.mjs";
import { ROOT, shown } from "./lib/paths.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { DASHBOARD, dashboard } from "./tasks/dashboard.mjs";
import { RELEASE_PROXY, releaseProxy, withAuth } from "./tasks/proxy.mjs";

export async function main(args) {
  await new TaskRunner().ensureOrStop(releaseProxy, dashboard);
  const proxy = startChild(RELEASE_PROXY, ["serve", "--demo=auto", "--www", shown(DASHBOARD), ...args], { cwd: ROOT, stdio: "inherit", env: withAuth() });
  return exitCode(proxy);
}
