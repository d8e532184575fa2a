// What a chat page costs its visitors, beside the same page on TanStack AI.

import { launch } from "../lib/browser.mjs";
import { alternate, median, shown } from "../lib/numbers.mjs";
import { CPU_SLOWDOWN, load } from "../lib/page-load.mjs";
import { converse } from "../lib/page-tokens.mjs";
import { withPages } from "../lib/pages.mjs";
import { TEXTS } from "../lib/scenarios.mjs";
import { ROUND_TRIP_MS } from "../lib/slow-wire.mjs";

/** Answers one after the other in one page. */
const BURSTS = 3;

export const name = "page";
export const how = `The same small page, messages above a composer in SolidJS (\`bench/pages\`), built as the dashboard is, on \`createChat\` and \`Markdown\` of \`@outcrop/solid\` with all its styles, served by the proxy; and on \`ChatClient\` of \`@tanstack/ai-client\` with server-sent events, served by a Node server (\`bench/node/sse.mjs\`). Loading: first visits in headless Chromium, on a processor ${CPU_SLOWDOWN} times slower, over a line with the rates of Lighthouse's phone (round trip ${ROUND_TRIP_MS} ms, 1.6 Mbit/s down, 0.75 up). Bytes are all that came over it until a second after the page could be used, headers too. A question goes out at once where Outcrop's page has its connection, and one that is sent before waits for it; TanStack AI's makes one for each question. Tokens: CPU time of the main thread (Chromium's TaskDuration) at full speed, from a question to the painted end of an answer of 1,000 tokens with headings, lists, a table and code; as fast as they come, the mean of ${BURSTS} in one conversation. Both pages read Markdown with \`marked\`, at most once a painted frame, and write what changed. What Outcrop's does more: it makes elements one by one, so that nothing in an answer can run, where the other gives \`marked\`'s HTML to \`innerHTML\` unchecked; it has formulas, colours in code, copy buttons and a caret, counts usage, and goes on with answers after a cut. What it does less: proxy and client join tokens that come together, where TanStack AI's server and client handle each as an event, and its client waits for a timer (at least 4 ms) after each in a page that is seen.`;

export function measure({ emulator, quick, note }) {
  return withPages(emulator, async (servers) => {
    const browser = await launch();
    const inTurns = (rounds, one) => alternate(quick ? 1 : rounds, { ours: () => one(servers.ours.address), other: () => one(servers.other.address) });
    try {
      // The first visit also starts what the browser starts but once.
      await load(browser, servers.other.address);
      const loads = await inTurns(5, (address) => load(browser, address));
      const paced = await inTurns(3, (address) => converse(browser, address, quick ? TEXTS.short : TEXTS.paced, 1));
      const burst = await inTurns(3, (address) => converse(browser, address, TEXTS.burst, BURSTS));
      note(`requests: Outcrop ${median(loads.ours.map((run) => run.requests))}, one of them its WebSocket; TanStack AI ${median(loads.other.map((run) => run.requests))}`);
      for (const [title, runs] of [["at 100 tokens/s", paced], ["as fast as they come", burst]]) {
        sameEnd(runs);
        note(`${title}, of the main thread's time: Outcrop ${parts(runs.ours)}; TanStack AI ${parts(runs.other)}`);
      }
      note(`as fast as they come, 1,000 tokens are all painted after: Outcrop ${wall(burst.ours)}; TanStack AI ${wall(burst.other)}`);
      const figure = (runs, of) => ({ ours: runs.ours.map(of), other: runs.other.map(of) });
      return {
        "page-bytes": figure(loads, (run) => run.kB),
        "page-paint": figure(loads, (run) => run.firstPaint),
        "page-composer": figure(loads, (run) => run.composer),
        "page-ready": figure(loads, (run) => run.ready),
        "page-paced": figure(paced, (run) => run.task),
        "page-burst": figure(burst, (run) => run.task),
      };
    } finally {
      await browser.close();
    }
  });
}

function parts(runs) {
  return ["script", "style", "layout"].map((part) => `${part} ${shown(median(runs.map((run) => run[part])))} ms`).join(", ");
}

function wall(runs) {
  return `${shown(median(runs.map((run) => run.wall)))} ms`;
}

/** Both pages have shown the same answers to their end. */
function sameEnd({ ours, other }) {
  const ends = new Set([...ours, ...other].map((run) => run.shown));
  if (ends.size !== 1) throw new Error(`the pages show different answers:\n${[...ends].join("\n")}`);
}
