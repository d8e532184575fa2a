// Pages that look the same in every run: their clock is moved by what happens, not by how long it takes.

import { NOON } from "./faketime.mjs";

/** How long after the programs the page was loaded, and how much later it is after each kind of frame of an answer. */
const LOADED_AFTER_MS = 5_000;
const STEP_MS = 600;

/** Has the pages of a context begin at noon and stand still, but for the first frame of each kind after every message sent. */
export async function holdStill(context) {
  await context.addInitScript(stop, { origin: NOON + LOADED_AFTER_MS, step: STEP_MS });
}

/** Runs in the page, before its own scripts. */
function stop({ origin, step }) {
  let passed = 0;
  Object.defineProperty(Performance.prototype, "timeOrigin", { get: () => origin });
  Performance.prototype.now = () => passed;
  const RealDate = Date;
  window.Date = class extends RealDate {
    constructor(...values) {
      if (values.length === 0) super(origin + passed);
      else super(...values);
    }
    static now = () => origin + passed;
  };
  const kinds = new Set();
  const RealWebSocket = WebSocket;
  window.WebSocket = class extends RealWebSocket {
    constructor(...values) {
      super(...values);
      this.addEventListener("message", (event) => {
        if (window.isDeaf) return event.stopImmediatePropagation();
        const kind = /"type":"(chat\.(?:message|reasoning|tool)_[a-z]+)"/.exec(event.data)?.[1];
        if (kind === undefined || kinds.has(kind)) return;
        kinds.add(kind);
        passed += step;
      });
    }
    send(data) {
      if (/"type":"chat\.send_message"/.test(data)) kinds.clear();
      super.send(data);
    }
  };
}

/** Has a page stay as it is: it hears nothing more, and what depends on chance, how long a wait was drawn, is evened out. */
export async function freeze(page) {
  await page.evaluate(() => {
    window.isDeaf = true;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/\bin \d+ s\b/, "in 3 s");
  });
}
