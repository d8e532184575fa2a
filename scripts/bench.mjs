// `npm run bench`: builds the proxy and the emulator in release, then runs the benchmarks of the workspace `bench` with the given arguments.

import { exitCode, startChild } from "./lib/children.mjs";
import { ROOT } from "./lib/paths.mjs";
import { TaskRunner } from "./lib/task-runner.mjs";
import { browsers, CHROMIUM } from "./tasks/browsers.mjs";
import { clientPackage } from "./tasks/client.mjs";
import { npmAll } from "./tasks/npm.mjs";
import { RELEASE_EMULATOR, RELEASE_PROXY, releaseEmulator, releaseProxy } from "./tasks/proxy.mjs";

export async function main(args) {
  await new TaskRunner().ensureOrStop(releaseProxy, releaseEmulator, npmAll, clientPackage, browsers);
  const env = { ...process.env, OUTCROP_PROXY_BIN: RELEASE_PROXY, BEDROCK_EMULATOR_BIN: RELEASE_EMULATOR, CHROMIUM };
  return exitCode(startChild("npm", ["run", "bench", "-w", "bench", "--", ...args], { cwd: ROOT, env, stdio: "inherit" }));
}
