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

test("an answer is announced once it is whole", () =>
  suite.withPage(async (page) => {
    await page.keyboard.press("Control+k");
    await say(page, "2+2");
    await answered(page, 1, "complete");
    await page.locator('[aria-live="polite"]', { hasText: "2 + 2 = 4" }).waitFor({ state: "attached" });
  }));
