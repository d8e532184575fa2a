// Long answers and long conversations as a reader meets them: nothing that was read moves or is made anew.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inChromium } from "../lib/browser.mjs";
import { answered, answers, connected, grown, lastAnswer, say } from "../lib/chat.mjs";
import { startEmulator } from "../lib/emulator.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat" };
const PARAGRAPH = "Water runs from the hills to the sea, and **nobody** has told it `where` to go, see [a map](https://example.com/map).";

const RICH = `# Title with $x^2$

${PARAGRAPH}

- one **bold**
- two $y_1$
  1. inner \`code\`
  2. more

- [x] done
- [ ] to do

$$
\\frac{a}{b}
- c
$$

| Name | Value |
|---|--:|
| a $z$ | 1 |
| b<br>c | 2 |

> quoted
> > deeper

\`\`\`rust
fn main() {
    println!("a");
}
\`\`\`

\\[
q = \\sqrt{2}
\\]

---

It costs $5 or $10, and <b>html</b> is text. Inline \\(p \\to q\\) ends it.

`;

let emulator;
let paced;

before(async () => {
  emulator = await startEmulator({ tokensPerSecond: 0 });
  paced = await startProxy({ env: emulator.env });
});
after(async () => {
  await paced?.stop();
  await emulator?.stop();
});

/** Runs `body` with a page whose answers are `text`, so many tokens a second. */
function withAnswers(text, tokensPerSecond, body, options = {}) {
  const direct = suite.proxy;
  suite.proxy = paced;
  return emulator
    .script([{ do: { text, firstTokenMs: 0, tokensPerSecond } }])
    .then(() => suite.withPage(body, { ...CHAT, ...options }))
    .finally(() => (suite.proxy = direct));
}

const scroller = (page) => page.locator(".oc-messages");

/** The topmost block of an answer that is wholly in sight: its number among all blocks, and how far below the scroller's top it is. */
const landmark = (page) =>
  scroller(page).evaluate((element) => {
    const top = element.getBoundingClientRect().top;
    const blocks = [...element.querySelectorAll(".oc-markdown > *")];
    const index = blocks.findIndex((block) => block.checkVisibility({ contentVisibilityAuto: true }) && block.getBoundingClientRect().top >= top);
    window.landmark = blocks[index];
    return blocks[index].getBoundingClientRect().top - top;
  });

/** Where that block is now. */
const placeOf = (page) => scroller(page).evaluate((element) => window.landmark.getBoundingClientRect().top - element.getBoundingClientRect().top);

/** Waits until nothing has scrolled for some frames. */
const still = (page) =>
  scroller(page).evaluate(async (element) => {
    for (let calm = 0, last = element.scrollTop; calm < 10; calm += 1) {
      await new Promise((done) => requestAnimationFrame(done));
      if (element.scrollTop !== last) calm = 0;
      last = element.scrollTop;
    }
  });

test("no element of a finished block is replaced while an answer is written", () =>
  withAnswers(RICH.repeat(3), 300, async (page) => {
    await page.evaluate(() => {
      window.removals = [];
      /** The block that was written when the observer was told last: what is told now may be from before another one began. */
      let written;
      const isElement = (node) => node.nodeType === Node.ELEMENT_NODE && !node.classList.contains("oc-caret");
      new MutationObserver((records) => {
        for (const { target, removedNodes, nextSibling } of records) {
          const markdown = target.parentElement?.closest(".oc-markdown") ?? target.closest?.(".oc-markdown");
          if (!markdown) continue;
          const block = [...markdown.children].find((child) => child.contains(target));
          const isFinished = block === undefined ? nextSibling !== null : block !== markdown.lastElementChild && block !== written;
          if (isFinished) window.removals.push(...[...removedNodes].filter(isElement).map((node) => node.outerHTML.slice(0, 200)));
        }
        written = [...document.querySelectorAll(".oc-markdown")].at(-1)?.lastElementChild;
      }).observe(document.body, { childList: true, subtree: true });
    });
    await say(page, "Go on");
    const answer = await answered(page, 1, "complete");
    assert.ok((await answer.locator(".oc-markdown > *").count()) >= 30);
    await answer.locator('code [data-kind="kwd"]').last().waitFor();
    assert.deepEqual(await page.evaluate(() => window.removals), []);
  }));

test("formulas are MathML, with their source where they are copied", inChromium("a page may read the clipboard there"), () =>
  withAnswers(RICH, 0, async (page) => {
    await say(page, "Go on");
    const answer = await answered(page, 1, "complete");
    await answer.locator(".oc-math[data-shown]").nth(5).waitFor();
    assert.equal(await answer.locator("math").count(), 6);
    assert.equal(await answer.locator("math[display=block]").count(), 2);
    assert.ok((await answer.locator("math mfrac").evaluate((fraction) => fraction.getBoundingClientRect().height)) > 20);
    await answer.locator(".oc-markdown").evaluate((element) => document.getSelection().selectAllChildren(element));
    await page.keyboard.press("Control+C");
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    for (const source of ["Title with $x^2$", "two $y_1$", "$$\n\\frac{a}{b}\n- c\n$$", "Inline \\(p \\to q\\) ends it.", "costs $5 or $10"]) assert.ok(copied.includes(source), `${source} in:\n${copied}`);
    assert.equal(await answer.locator("[data-copying]").count(), 0);
  }, { permissions: ["clipboard-read", "clipboard-write"] }));

test("what is read above stays where it is while the answer is written", () =>
  withAnswers(RICH.repeat(16), 800, async (page) => {
    await say(page, "Go on");
    await grown(page, 3_000);
    await scroller(page).hover();
    await page.mouse.wheel(0, -900);
    await still(page);
    const place = await landmark(page);
    // A slow machine may have all of it by now.
    const whole = answered(page, 1, "complete");
    await Promise.race([grown(page, await grown(page, 3_500) + 1_500), whole]);
    assert.equal(await placeOf(page), place);
    await whole;
    assert.equal(await placeOf(page), place);
    await page.getByRole("button", { name: "Jump to latest" }).click();
    await lastAnswer(page).getByRole("button", { name: "Copy answer" }).waitFor();
    await page.waitForFunction(() => {
      const { scrollTop, scrollHeight, clientHeight } = document.querySelector(".oc-messages");
      return scrollHeight - clientHeight - scrollTop < 2;
    });
  }));

test("scrolling up through a long conversation goes as far as the wheel says, and older messages move nothing", () =>
  withAnswers(`${RICH}${`${PARAGRAPH}\n\n`.repeat(6)}`, 0, async (page) => {
    for (let turn = 1; turn <= 27; turn += 1) {
      await say(page, `Question ${turn}`);
      await answered(page, turn, "complete");
    }
    await page.reload();
    await connected(page);
    await answers(page).nth(24).waitFor();
    await scroller(page).hover();
    await still(page);
    for (let step = 0; step < 25; step += 1) {
      const place = await landmark(page);
      await page.mouse.wheel(0, -400);
      await still(page);
      const moved = (await placeOf(page)) - place;
      assert.ok(Math.abs(moved - 400) <= 1, `step ${step} moved by ${moved}`);
    }
    await scroller(page).evaluate((element) => (element.scrollTop = 0));
    await still(page);
    await scroller(page).evaluate((element) => (element.scrollTop = 200));
    await still(page);
    const place = await landmark(page);
    await page.getByRole("button", { name: "Show older messages" }).evaluate((button) => button.click());
    await answers(page).nth(26).waitFor();
    await still(page);
    const moved = (await placeOf(page)) - place;
    assert.ok(Math.abs(moved) <= 1, `moved by ${moved}`);
  }));
