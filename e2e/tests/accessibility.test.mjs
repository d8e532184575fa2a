import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { answered, composer, say } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds on the page, as `rule: elements`. */
async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => (await window.axe.run(document)).violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`));
  return found;
}

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
