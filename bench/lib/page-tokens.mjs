// A conversation in one of the pages: what its answers have the main thread do.

import { countCpu, heapBytes, spent, withPage } from "./browser.mjs";

const ANSWER_MS = 60_000;

/** Asks for `answers` of `text` one after the other. The main thread's work per 1,000 tokens, the memory then, and the end of the last. */
export async function converse(browser, address, text, answers) {
  return withPage(browser, async (page, devtools) => {
    page.setDefaultTimeout(ANSWER_MS);
    await page.goto(`http://${address}/`);
    await page.locator('main[data-ready="true"]').waitFor();
    await countCpu(devtools);
    let total = {};
    for (let answer = 0; answer < answers; answer += 1) {
      await page.getByLabel("Message").fill(text.prompt);
      const one = await spent(devtools, () => page.evaluate(ask));
      total = Object.fromEntries(Object.keys(one).map((key) => [key, (total[key] ?? 0) + one[key]]));
    }
    const perThousand = Object.fromEntries(Object.entries(total).map(([key, ms]) => [key, (ms * 1_000) / (answers * text.tokens)]));
    return { ...perThousand, heapMiB: (await heapBytes(devtools)) / 1024 ** 2, shown: await page.evaluate(shown) };
  });
}

/** In the page: sends what is in the composer; resolves when the answer is whole and painted. */
function ask() {
  const main = document.querySelector("main");
  const isBusy = () => main.dataset.busy === "true";
  return new Promise((done) => {
    let began = false;
    new MutationObserver((_, observer) => {
      began ||= isBusy();
      if (!began || isBusy()) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(done));
    }).observe(main, { attributeFilter: ["data-busy"] });
    main.querySelector("button").click();
  });
}

/** In the page: how many answers there are, and how the last one ends. */
function shown() {
  const answers = [...document.querySelectorAll("li.assistant")];
  return `${answers.length} answers, … ${answers.at(-1).textContent.replace(/\s+/g, " ").trim().slice(-60)}`;
}
