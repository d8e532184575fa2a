// A conversation in one of the pages: what its answers have the main thread do.

import { countCpu, spent, withPage } from "./browser.mjs";

const ANSWER_MS = 60_000;

/** Asks for `answers` of `text` one after the other: the main thread's work in milliseconds per 1,000 tokens, and the end of the last. */
export async function converse(browser, address, text, answers) {
  return withPage(browser, async (page, devtools) => {
    page.setDefaultTimeout(ANSWER_MS);
    await page.goto(`http://${address}/`);
    await page.locator('main[data-ready="true"]').waitFor();
    await countCpu(devtools);
    const works = [];
    for (let answer = 0; answer < answers; answer += 1) {
      await page.getByLabel("Message").fill(text.prompt);
      works.push(await spent(devtools, () => page.evaluate(ask)));
    }
    return { ...perThousand(works, text.tokens), shown: await page.evaluate(shown) };
  });
}

/** The mean of what answers of so many tokens took, for 1,000 tokens. */
export function perThousand(works, tokens) {
  const sum = (key) => works.reduce((total, work) => total + work[key], 0);
  return Object.fromEntries(Object.keys(works[0]).map((key) => [key, (sum(key) * 1_000) / (works.length * tokens)]));
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
    main.querySelector("button[type=submit]").click();
  });
}

/** In the page: how many answers there are, and how the last one ends, whatever blanks are between its blocks. */
function shown() {
  const answers = [...document.querySelectorAll("li.assistant")];
  return `${answers.length} answers, … ${answers.at(-1).textContent.replace(/\s+/g, "").slice(-60)}`;
}
