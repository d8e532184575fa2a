// Headless Chromium and its accounting.

import { chromium } from "playwright-core";
import { CHROMIUM } from "./programs.mjs";

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
}

/** Runs `work(page, devtools)` in a page without anything cached. An error of the page is one of the run. */
export async function withPage(browser, work) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    const failed = new Promise((_, reject) => page.once("pageerror", reject));
    return await Promise.race([work(page, devtools), failed]);
  } finally {
    await context.close();
  }
}

/** Makes `spent` count CPU time: what other programs take from the machine is not in it. */
export function countCpu(devtools) {
  return devtools.send("Performance.enable", { timeDomain: "threadTicks" });
}

/** What the main thread has done until now, in milliseconds of CPU time, without what DevTools itself had it do. */
async function mainThread(devtools) {
  const { metrics } = await devtools.send("Performance.getMetrics");
  const ms = (name) => metrics.find((metric) => metric.name === name).value * 1_000;
  return { task: ms("TaskDuration") - ms("DevToolsCommandDuration"), script: ms("ScriptDuration"), layout: ms("LayoutDuration"), style: ms("RecalcStyleDuration") };
}

/** What `work` had the main thread do, and how long it took by the clock (`wall`). */
export async function spent(devtools, work) {
  const before = { ...(await mainThread(devtools)), wall: performance.now() };
  await work();
  const after = { wall: performance.now(), ...(await mainThread(devtools)) };
  return Object.fromEntries(Object.keys(before).map((key) => [key, after[key] - before[key]]));
}
