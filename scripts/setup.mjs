// `node scripts/main.cjs setup [--browsers]`: installs what builds need, and with --browsers what tests need, without building.

import { TaskRunner } from "./lib/task-runner.mjs";
import { browsers, python } from "./tasks/browsers.mjs";
import { npmAll, npmForDashboard } from "./tasks/npm.mjs";
import { geckodriver, wasmTools } from "./tasks/tools.mjs";
import { wasmRust } from "./tasks/wasm-rust.mjs";

export async function main(args) {
  const forTests = args.includes("--browsers") ? [browsers, geckodriver, python, npmAll] : [npmForDashboard];
  await new TaskRunner().ensureOrStop(wasmRust, wasmTools, ...forTests);
  return 0;
}
