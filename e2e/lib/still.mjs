// Pages that look the same in every run: their clock is moved by what happens, not by how long it takes.

import { NOON } from "./faketime.mjs";

/** How long after the programs the page was loaded, and how long every answer takes to begin. */
const LOADED_AFTER_MS = 5_000;
const FIRST_WORD_MS = 1_200;

/** Has the pages of a context begin at noon and stand still, but for the first frame of each answer. */
export async function holdStill(context) {
  await context.addInitScript(stop, { origin: NOON + LOADED_AFTER_MS, step: FIRST_WORD_MS });
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
  let isAwaited = false;
  const RealWebSocket = WebSocket;
  window.WebSocket = class extends RealWebSocket {
    constructor(...values) {
      super(...values);
      this.addEventListener("message", (event) => {
        if (window.isDeaf) return event.stopImmediatePropagation();
        if (!isAwaited || !/"type":"chat\.(message|reasoning|tool)_/.test(event.data)) return;
        isAwaited = false;
        passed += step;
      });
    }
    send(data) {
      isAwaited ||= /"type":"chat\.send_message"/.test(data);
      super.send(data);
    }
  };
}

/** Has a page stay as it is: it hears nothing more, and says the same of what took or takes its time. */
export async function freeze(page) {
  await page.evaluate(() => {
    window.isDeaf = true;
    for (const element of document.body.querySelectorAll("*")) {
      if (element.childElementCount > 0) continue;
      const text = element.textContent;
      const same = text.replace(/\bin \d+ s\b/g, "in 3 s").replace(/(?<!\bin )\b\d+(\.\d+)? m?s\b/g, "1.2 s");
      if (same !== text) element.textContent = same;
    }
  });
}
