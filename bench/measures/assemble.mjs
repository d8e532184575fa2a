// What the client costs the page: the main thread's time for a long answer, beside the same job in plain JavaScript.

import { chromium } from "playwright-core";
import { alternate, median } from "../lib/numbers.mjs";
import { servePage } from "../lib/page-server.mjs";
import { CHROMIUM } from "../lib/programs.mjs";

const PER_FRAME = 1_000;
const RUN_MS = 60_000;

export const name = "assemble";
export const how = "A page in headless Chromium is given 100,000 frames of one token by a stand-in for WebSocket, 1,000 between two painted frames, 100 in a task. The Outcrop client gives them to a `for await` loop; plain JavaScript parses each and appends its text. Both set the same text node once per painted frame. The node is not displayed, since layout is the same for both. The figure is what Chromium's own accounting (TaskDuration) says the main thread was busy, less the same with nobody listening, each run in a fresh page.";

export async function measure({ quick, note }) {
  const tokens = quick ? 20_000 : 100_000;
  const server = await servePage();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const busy = (client) => () => busyMs(browser, server.url, client, tokens);
    await busy("outcrop")();
    const runs = await alternate(quick ? 1 : 5, { nobody: busy("nobody"), ours: busy("outcrop"), other: busy("plain") });
    const nobody = median(runs.nobody.map((run) => run.busyMs));
    const listening = (key) => runs[key].map((run) => run.busyMs - nobody);
    const longest = (key) => Math.max(...runs[key].map((run) => run.longTasks));
    note(`nobody listening ${nobody.toFixed(0)} ms; tasks over 50 ms: at most ${longest("ours")} with the client, ${longest("other")} in plain JavaScript`);
    return { assemble: { ours: listening("ours"), other: listening("other"), nobody: runs.nobody.map((run) => run.busyMs) } };
  } finally {
    await browser.close();
    server.close();
  }
}

async function busyMs(browser, url, client, tokens) {
  const page = await browser.newPage();
  page.setDefaultTimeout(RUN_MS);
  try {
    await page.goto(url);
    await page.waitForFunction(() => window.prepare !== undefined);
    await page.evaluate(([client, tokens, perFrame]) => window.prepare(client, tokens, perFrame), [client, tokens, PER_FRAME]);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable");
    await devtools.send("HeapProfiler.collectGarbage");
    await page.evaluate(() => {
      window.longTasks = 0;
      new PerformanceObserver((list) => (window.longTasks += list.getEntries().length)).observe({ type: "longtask" });
    });
    const before = await taskMs(devtools);
    await page.evaluate(() => window.give());
    const after = await taskMs(devtools);
    return { busyMs: after - before, longTasks: await page.evaluate(() => window.longTasks) };
  } finally {
    await page.close();
  }
}

async function taskMs(devtools) {
  const { metrics } = await devtools.send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "TaskDuration").value * 1_000;
}
