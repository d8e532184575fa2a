// One visit to a page as Lighthouse makes it: nothing cached, a phone's network and a phone's processor.

import { withPage } from "./browser.mjs";
import { pause } from "./children.mjs";
import { startSlowWire } from "./slow-wire.mjs";

/** As many times slower than this machine. */
export const CPU_SLOWDOWN = 4;
/** How long after the page can be used what it loads still counts. */
const SETTLE_MS = 1_000;
const LOAD_MS = 30_000;

/** What the page's server sends to a first visit, and when the page can be used, in milliseconds from the start of navigation. */
export async function load(browser, address) {
  const wire = await startSlowWire(address);
  try {
    return await withPage(browser, async (page, devtools) => {
      let requests = 0;
      page.on("request", () => (requests += 1)).on("websocket", () => (requests += 1));
      await page.addInitScript(watch, LOAD_MS);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
      await page.goto(wire.url, { timeout: LOAD_MS, waitUntil: "commit" });
      const usable = await page.evaluate(() => window.usable);
      await pause(SETTLE_MS);
      const firstPaint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
      return { kB: wire.bytes() / 1_000, requests, firstPaint, ...usable };
    });
  } finally {
    wire.close();
  }
}

/** In the page, before anything of its own: when its composer takes keys, and when a question would go out at once. */
function watch(limitMs) {
  /** The time once `selector` is there and the task that put it there has ended. */
  const present = (selector) => new Promise((done, failed) => {
    setTimeout(() => failed(new Error(`${selector}: not within ${limitMs / 1_000} s`)), limitMs);
    const look = () => {
      if (document.querySelector(selector) === null) return;
      observer.disconnect();
      setTimeout(() => done(performance.now()));
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  });
  window.usable = Promise.all([present("main textarea"), present('main[data-ready="true"] textarea')]).then(([composer, ready]) => ({ composer, ready }));
}
