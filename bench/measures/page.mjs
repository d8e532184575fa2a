// What a chat page costs its visitors, beside the same page on TanStack AI.

import { launch } from "../lib/browser.mjs";
import { alternate, median } from "../lib/numbers.mjs";
import { load } from "../lib/page-load.mjs";
import { converse } from "../lib/page-tokens.mjs";
import { withPages } from "../lib/pages.mjs";
import { ROUND_TRIP_MS } from "../lib/slow-wire.mjs";
import { TEXTS } from "../lib/scenarios.mjs";

export const name = "page";
export const needsLoad = false;
export const how = `...`;

const WITH_PAGES = { ours: "Outcrop", bare: "its bare client", other: "TanStack AI" };

export function measure({ emulator, quick, note }) {
  return withPages(emulator, async (servers) => {
    const browser = await launch();
    const inTurns = (rounds, one) => alternate(quick ? 1 : rounds, Object.fromEntries(Object.entries(servers).map(([key, { address }]) => [key, () => one(address)])));
    try {
      await inTurns(1, (address) => load(browser, address));
      const loads = await inTurns(5, (address) => load(browser, address));
      const paced = await inTurns(3, (address) => converse(browser, address, quick ? TEXTS.short : TEXTS.paced, 1));
      const burst = await inTurns(3, (address) => converse(browser, address, TEXTS.burst, quick ? 2 : 10));
      sameEnd([paced, burst]);
      describe(note, "composer there after", loads, (run) => run.composer, "ms");
      for (const [title, runs] of [["at 100 tokens/s", paced], ["in a burst", burst]]) {
        for (const part of ["script", "style", "layout"]) describe(note, `${title}, ${part}`, runs, (run) => run[part], "ms");
      }
      return {
        ...figure("page-bytes", loads, (run) => run.kB),
        ...figure("page-requests", loads, (run) => run.requests),
        ...figure("page-paint", loads, (run) => run.firstPaint),
        ...figure("page-interactive", loads, (run) => run.interactive),
        ...figure("page-blocking", loads, (run) => run.blocking),
        ...figure("page-paced", paced, (run) => run.task),
        ...figure("page-burst", burst, (run) => run.task),
        ...figure("page-heap", burst, (run) => run.heapMiB),
      };
    } finally {
      await browser.close();
    }
  });
}

/** Two rows: the page on Outcrop and the one on its bare client, each beside TanStack AI's. */
function figure(id, runs, value) {
  const [ours, bare, other] = ["ours", "bare", "other"].map((key) => runs[key].map(value));
  return { [id]: { ours, other }, [`${id}-bare`]: { ours: bare, other } };
}

function describe(note, what, runs, value, unit) {
  note(`${what}: ${Object.entries(WITH_PAGES).map(([key, title]) => `${title} ${median(runs[key].map(value)).toFixed(0)} ${unit}`).join(", ")}`);
}

/** All pages have shown the same answers to their end. */
function sameEnd(kinds) {
  for (const runs of kinds) {
    const ends = new Set(Object.values(runs).flat().map((run) => run.shown));
    if (ends.size !== 1) throw new Error(`the pages show different answers:\n${[...ends].join("\n")}`);
  }
}
