import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, composer, say } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 320]) {
    test(`axe finds nothing: ${colorScheme}, ${width} wide`, () =>
      suite.withPage(
        async (page) => {
          assert.deepEqual(await violations(page), [], "the dashboard");
          await page.getByRole("button", { name: /Ask Claude/ }).click();
          assert.deepEqual(await violations(page), [], "the empty chat");
          await say(page, "Write a small Rust program");
          await (await answered(page, 1, "complete")).locator('code [data-kind="kwd"]').first().waitFor();
          await say(page, "/overflow Explain rivers");
          await answered(page, 2, "failed");
          assert.deepEqual(await violations(page), [], "the floating chat");
          await page.keyboard.press("Escape");
          assert.deepEqual(await violations(page), [], "the dashboard with figures");
          await page.getByRole("link", { name: "Chat" }).click();
          await composer(page).waitFor();
          assert.deepEqual(await violations(page), [], "the full chat");
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, "the page scrolls sideways");
        },
        { colorScheme, width, reducedMotion: "reduce" },
      ));
  }
}

test("with reduced motion nothing moves", () =>
  suite.withPage(
    async (page) => {
      await page.keyboard.press("Control+k");
      await say(page, "/pace 20 /length 300 Explain rivers");
      await page.locator(".oc-answer .oc-markdown").waitFor();
      assert.deepEqual(await page.evaluate(() => document.getAnimations().map((animation) => animation.animationName)), []);
    },
    { reducedMotion: "reduce" },
  ));

/** Presses Tab from the beginning of the page to its end: what had the focus, in order, and what of it did not look as if it had. */
async function walk(page) {
  const [names, unmarked] = [[], []];
  // Browsers go on from what had the focus last: from the top, then.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  while (names.length < MAX_CONTROLS) {
    await page.keyboard.press("Tab");
    const { name, isMarked } = await page.evaluate(focused);
    if (name === undefined) return { names, unmarked };
    names.push(name);
    if (!isMarked) unmarked.push(name);
  }
  throw new Error(`Tab goes round and round: ${names.slice(-5).join(", ")}`);
}

const MAX_CONTROLS = 200;

/** Runs in the page: what has the focus, and whether it, or what is around or beside it, looks another way without. */
function focused() {
  const element = document.activeElement;
  if (element === null || element === document.body) return {};
  const parts = [element, element.parentElement, element.nextElementSibling].filter((part) => part !== null);
  const look = ({ outlineStyle, outlineColor, boxShadow, borderColor, backgroundColor }) => [outlineStyle, outlineColor, boxShadow, borderColor, backgroundColor];
  const looks = () => parts.map((part) => look(getComputedStyle(part))).join();
  const withFocus = looks();
  element.blur();
  const without = looks();
  element.focus({ preventScroll: true });
  return { name: element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent.trim(), isMarked: withFocus !== without };
}

/** What one can press, write in or choose from, and sees. */
const controls = (page) =>
  page.locator("a[href], button:not([disabled]), textarea, select, summary, input").evaluateAll((all) => {
    const isReached = (element) => element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true }) && (element.type !== "radio" || element.checked);
    return all.filter(isReached).map((element) => element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent.trim());
  });

for (const path of ["/#/", "/#/chat", "/#/usage"]) {
  for (const width of [1280, 320]) {
    test(`Tab leads through all of ${path} and out again, and one sees where it is: ${width} wide`, () =>
      suite.withPage(
        async (page) => {
          if (path === "/#/chat") {
            await say(page, "Write a small Rust program");
            await answered(page, 1, "complete");
            await page.getByRole("button", { name: "Copy code" }).waitFor();
          }
          if (path === "/#/usage") await page.getByRole("radio", { name: "Today" }).waitFor();
          const { names, unmarked } = await walk(page);
          assert.deepEqual((await controls(page)).filter((name) => !names.includes(name)), [], "not reached");
          assert.deepEqual(unmarked, [], "the focus cannot be seen");
        },
        { path, width, reducedMotion: "reduce" },
      ));
  }
}

test("a long answer is no flood of announcements", () =>
  suite.withPage(
    async (page) => {
      await page.evaluate(() => {
        window.announced = [];
        const region = '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"], [role="log"]';
        const listen = (changes) => {
          for (const { target } of changes) {
            const element = target instanceof Element ? target : target.parentElement;
            const live = element?.closest(region);
            if (live && !element.closest('[aria-live="off"]')) window.announced.push(live.textContent.slice(0, 60));
          }
        };
        new MutationObserver(listen).observe(document.body, { childList: true, characterData: true, subtree: true });
      });
      await say(page, "/pace 400 /length 1200 Tell me about rivers");
      await answered(page, 1, "complete");
      await page.locator('[aria-live="polite"]', { hasText: /rivers/i }).waitFor({ state: "attached" });
      const announced = await page.evaluate(() => window.announced);
      assert.ok(announced.some((text) => /answering/.test(text)), announced.join("\n"));
      assert.ok(announced.length <= 4, `${announced.length} announcements:\n${announced.join("\n")}`);
    },
    { path: "/#/chat" },
  ));

test("an answer is announced once it is whole", () =>
  suite.withPage(async (page) => {
    await page.keyboard.press("Control+k");
    await say(page, "2+2");
    await answered(page, 1, "complete");
    await page.locator('[aria-live="polite"]', { hasText: "2 + 2 = 4" }).waitFor({ state: "attached" });
  }));
