// One visit to a page as Lighthouse makes it: nothing cached, a phone's network and a phone's processor.

import { withPage } from "./browser.mjs";
import { pause } from "./children.mjs";
import { startSlowWire } from "./slow-wire.mjs";

/** As many times slower than this machine. */
const CPU_SLOWDOWN = 4;
/** Tasks this long keep a person waiting. */
const LONG_TASK_MS = 50;
/** How long after the page can be used its tasks still count. */
const SETTLE_MS = 1_000;
const LOAD_MS = 30_000;

/** What the page's server sends until the page can be used, and when that is, in milliseconds from the start of navigation. */
export async function load(browser, address) {
  const wire = await startSlowWire(address);
  try {
    return await withPage(browser, async (page, devtools) => {
      let requests = 0;
      page.on("request", () => (requests += 1)).on("websocket", () => (requests += 1));
      await page.addInitScript(watch);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
      await page.goto(wire.url, { timeout: LOAD_MS, waitUntil: "commit" });
      const { composer, interactive } = await page.evaluate(() => window.usable);
      const soFar = { kB: wire.bytes() / 1_000, requests };
      await pause(SETTLE_MS);
      const { firstPaint, tasks } = await page.evaluate(() => ({ firstPaint: window.firstPaint, tasks: window.longTasks }));
      return { ...soFar, firstPaint, composer, interactive, blocking: blockingMs(tasks) };
    });
  } finally {
    wire.close();
  }
}

/** Lighthouse's total blocking time: what each task takes beyond the time that nobody notices. */
export function blockingMs(tasks) {
  return tasks.reduce((sum, ms) => sum + Math.max(0, ms - LONG_TASK_MS), 0);
}

/** In the page: when it painted first, when its composer took keys, when its client was connected too, and the long tasks. */
function watch() {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => (window.firstPaint = list.getEntriesByName("first-contentful-paint")[0]?.startTime)).observe({ type: "paint", buffered: true });
  /** The time once `selector` is there and the task that put it there has ended. */
  const present = (selector) => new Promise((done) => {
    const look = () => {
      if (document.querySelector(selector) === null) return;
      observer.disconnect();
      setTimeout(() => done(performance.now()));
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  });
  window.usable = Promise.all([present("main textarea"), present('main[data-ready="true"] textarea')]).then(([composer, interactive]) => ({ composer, interactive }));
}
