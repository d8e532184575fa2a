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
export const how = `The same small page, messages above a composer, written once in SolidJS and built by Vite as the dashboard is, twice: on \`createChat\` and \`Markdown\` of \`@outcrop/solid\` with its whole stylesheet, served by the proxy; and on \`ChatClient\` of \`@tanstack/ai-client\` with server-sent events, its messages in a signal, served by a Node server that relays Bedrock with TanStack AI's own functions. Load: a first visit in headless Chromium, the processor ${CPU_SLOWDOWN} times slower, over a line that has the rates of Lighthouse's phone (a round trip of ${ROUND_TRIP_MS} ms, 1.6 Mbit/s down, 0.75 up); bytes are all that came over it until a second after the page could be used, headers too. Outcrop's page has a connection when a question goes out at once; what is sent before that waits for it. TanStack AI's makes one for each question. Tokens: the CPU time of the main thread (Chromium's TaskDuration in thread ticks, on the unslowed processor) from a question to the painted end of its answer of 1,000 tokens, with headings, lists, tables and code: one answer at 100 tokens/s, and ${BURSTS} one after the other as fast as they come. Both pages read Markdown with the same parser, \`marked\`, at most once a painted frame, and write only blocks that changed. In favour of TanStack AI's page: it hands \`marked\`'s HTML to \`innerHTML\` unchecked, where Outcrop's makes each element itself, so that nothing in an answer can run, and has formulas, copy buttons, colours in code and a caret. Outcrop's also counts usage and resumes an answer whose connection broke. In favour of Outcrop's: its proxy joins tokens that come at once into one frame, and its client gives a page what came between two painted frames together; TanStack AI's server sends each as an event of its own, and its client tells the page of each.`;

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
      note(`as fast as they come, 1,000 tokens are all painted after: Outcrop ${wall(burst.ours)}, TanStack AI ${wall(burst.other)}, whose client waits for a timer after each event`);
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
