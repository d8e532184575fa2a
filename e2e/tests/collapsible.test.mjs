import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, composer, say } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();

const dialog = (page) => page.getByRole("dialog", { name: "Claude" });
const launcher = (page) => page.getByRole("button", { name: /Ask Claude/ });
const box = (locator) => locator.boundingBox();

test("the launcher's chat opens, pins and minimises by keyboard, and stays as it was over a reload", () =>
  suite.withPage(async (page) => {
    await page.keyboard.press("Control+k");
    await dialog(page).waitFor();
    await composer(page).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await launcher(page).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Enter");
    await dialog(page).waitFor();

    const floating = await box(page.locator("main"));
    await dialog(page).getByRole("button", { name: "Pin to the side" }).focus();
    await page.keyboard.press("Enter");
    await page.locator('[data-placement="pinned"] > .oc-window').waitFor();
    const pinned = await box(page.locator("main"));
    const chat = await box(dialog(page));
    assert.ok(pinned.width < floating.width, "the page makes room");
    assert.ok(pinned.x + pinned.width <= chat.x + 1, "the pinned chat covers nothing");
    assert.equal(chat.height, 800);

    await page.reload();
    await page.locator('[data-placement="pinned"] > .oc-window').waitFor();
    await page.keyboard.press("Control+k");
    await dialog(page).waitFor({ state: "detached" });
    assert.equal((await box(page.locator("main"))).width, floating.width);
  }));

test("what was said behind the launcher is in the full chat, and on the dashboard in figures", () =>
  suite.withPage(async (page) => {
    await page.keyboard.press("Control+k");
    await say(page, "Explain rivers");
    await answered(page, 1, "complete");
    const figures = page.locator(".dash-figures");
    assert.match(await figures.innerText(), /Answers\s+1\s+1 conversation\s/);
    assert.equal(await page.getByRole("region", { name: "Latest answers" }).locator("tbody tr").count(), 1);
    await page.getByRole("link", { name: "Chat" }).click();
    await page.locator(".oc-question-text", { hasText: "Explain rivers" }).waitFor();
  }));

test("on a narrow screen the chat takes all of it", () =>
  suite.withPage(
    async (page) => {
      await launcher(page).click();
      const { width, height } = await box(dialog(page));
      // Firefox keeps room for the page's scroll bar.
      const room = await page.evaluate(() => document.documentElement.clientWidth);
      assert.deepEqual([Math.round(width), Math.round(height)], [room, 640]);
      await dialog(page).getByRole("button", { name: "Minimise" }).click();
      await launcher(page).waitFor();
    },
    { width: 320, height: 640 },
  ));
