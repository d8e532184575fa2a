import assert from "node:assert/strict";
import { test } from "node:test";
import { inChromium } from "../lib/browser.mjs";
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
    const figures = page.locator(".oc-dash-figures");
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

const STILL = { reducedMotion: "reduce" };
const header = (page) => page.locator(".oc-window-header");
const title = (page) => dialog(page).getByRole("heading", { name: "Claude" });

/** Presses in the middle of `locator`, moves the pointer by so much, but not out of the page, and lets it go. */
async function drag(page, locator, x, y) {
  const { width, height } = page.viewportSize();
  const within = (value, length) => Math.min(Math.max(value, 0), length - 1);
  const from = await box(locator);
  const [startX, startY] = [from.x + from.width / 2, from.y + from.height / 2];
  await page.mouse.move(startX, startY);
  await page.mouse.down();
  await page.mouse.move(within(startX + x, width), within(startY + y, height), { steps: 4 });
  await page.mouse.up();
}

/** The distances of `locator` from the page's left, top, right and bottom edge, in whole pixels. */
async function distances(page, locator) {
  const { x, y, width, height } = await box(locator);
  // Without a scroll bar, which takes room in Firefox.
  const inside = await page.evaluate(() => ({ width: document.documentElement.clientWidth, height: document.documentElement.clientHeight }));
  return { left: Math.round(x), top: Math.round(y), right: Math.round(inside.width - x - width), bottom: Math.round(inside.height - y - height) };
}

test("the launcher is dragged to another corner, without opening, and is there after a reload, its window too", () =>
  suite.withPage(async (page) => {
    await drag(page, launcher(page), -800, -600);
    const there = await distances(page, launcher(page));
    assert.deepEqual([there.left, there.top], [20, 20]);
    assert.equal(await dialog(page).count(), 0, "a drag is no click");
    await page.reload();
    assert.deepEqual(await distances(page, launcher(page)), there);
    await launcher(page).click();
    const { left, top } = await distances(page, dialog(page));
    assert.deepEqual([left, top], [20, 20]);
    await composer(page).and(page.locator(":focus")).waitFor();

    await drag(page, title(page), 700, 10);
    const moved = await distances(page, dialog(page));
    assert.deepEqual([moved.right, moved.top], [20, 20]);
    await composer(page).and(page.locator(":focus")).waitFor();
  }, STILL));

test("a drag that is too short is a click, and Esc gives a drag up", () =>
  suite.withPage(async (page) => {
    const home = await distances(page, launcher(page));
    await launcher(page).hover();
    await page.mouse.down();
    await page.mouse.move(300, 300, { steps: 4 });
    assert.notDeepEqual(await distances(page, launcher(page)), home);
    await page.keyboard.press("Escape");
    await page.mouse.up();
    assert.deepEqual(await distances(page, launcher(page)), home);
    assert.equal(await dialog(page).count(), 0);
    await drag(page, launcher(page), 2, 3);
    await dialog(page).waitFor();
  }, STILL));

test("Alt and the arrow keys move the launcher and the window, and say so", () =>
  suite.withPage(async (page) => {
    await launcher(page).focus();
    await page.keyboard.press("Alt+ArrowLeft");
    await page.getByRole("status").filter({ hasText: "Chat moved to the bottom left." }).waitFor({ state: "attached" });
    await page.keyboard.press("Alt+ArrowUp");
    const there = await distances(page, launcher(page));
    assert.deepEqual([there.left, there.top], [20, 20]);
    await page.keyboard.press("Enter");
    await dialog(page).getByRole("button", { name: "Minimise" }).focus();
    await page.keyboard.press("Alt+ArrowRight");
    await page.getByRole("status").filter({ hasText: "Chat moved to the top right." }).waitFor({ state: "attached" });
    const { right, top } = await distances(page, dialog(page));
    assert.deepEqual([right, top], [20, 20]);
  }, STILL));

test("where text runs from right to left, the corners are those that people see", () =>
  suite.withPage(async (page) => {
    await page.evaluate(() => (document.documentElement.dir = "rtl"));
    assert.equal((await distances(page, launcher(page))).left, 20);
    await launcher(page).focus();
    await page.keyboard.press("Alt+ArrowRight");
    assert.equal((await distances(page, launcher(page))).right, 20);
    await drag(page, launcher(page), -900, 0);
    assert.equal((await distances(page, launcher(page))).left, 20);
    await launcher(page).click();
    const { width } = await box(dialog(page));
    await drag(page, page.getByRole("separator"), 64, 0);
    assert.equal((await box(dialog(page))).width, width + 64);
  }, STILL));

test("the window is resized by pointer and keyboard, within bounds, and keeps its size", () =>
  suite.withPage(async (page) => {
    await launcher(page).click();
    const handle = page.getByRole("separator", { name: "Size of the chat" });
    await drag(page, handle, -100, 50);
    const size = async () => (({ width, height }) => [Math.round(width), Math.round(height)])(await box(dialog(page)));
    assert.deepEqual(await size(), [516, 622]);
    await handle.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowUp");
    assert.deepEqual(await size(), [548, 654]);
    assert.equal(await handle.getAttribute("aria-valuetext"), "548 by 654 pixels");
    await page.reload();
    await dialog(page).waitFor();
    assert.deepEqual(await size(), [548, 654]);
    await drag(page, handle, 1000, 700);
    assert.deepEqual(await size(), [320, 384]);
    await drag(page, handle, -1000, -700);
    assert.deepEqual(await size(), [1240, 760]);
    await page.setViewportSize({ width: 900, height: 600 });
    assert.deepEqual(await size(), [860, 560]);
  }, STILL));

test("pinned to the other side, the page leaves room there, as much as the chat is wide", () =>
  suite.withPage(async (page) => {
    await launcher(page).click();
    await dialog(page).getByRole("button", { name: "Pin to the side" }).click();
    const free = await box(page.locator("main"));
    assert.equal(free.x, 0);
    await drag(page, title(page), -700, 0);
    await drag(page, page.getByRole("separator", { name: "Width of the chat" }), 84, 0);
    const room = await page.evaluate(() => document.documentElement.clientWidth) - 500;
    assert.deepEqual(await distances(page, dialog(page)), { left: 0, top: 0, right: room, bottom: 0 });
    const main = await box(page.locator("main"));
    assert.deepEqual([main.x, main.width], [500, room]);
    await page.reload();
    await page.locator('[data-placement="pinned"] > .oc-window').waitFor();
    assert.deepEqual(await box(page.locator("main")), main);
    await header(page).getByRole("button", { name: "Minimise" }).click();
    assert.equal((await box(page.locator("main"))).x, 0);
  }, STILL));

test("the launcher is not printed", inChromium("it shows a page as it is printed"), () =>
  suite.withPage(async (page) => {
    await launcher(page).waitFor();
    await page.emulateMedia({ media: "print" });
    assert.equal(await launcher(page).isVisible(), false);
  }));

test("another conversation is opened in the window, and Esc closes the list before the window", () =>
  suite.withPage(async (page) => {
    await launcher(page).click();
    await say(page, "Explain canals");
    await answered(page, 1, "complete");
    await header(page).getByRole("button", { name: "New conversation" }).click();
    await page.locator(".oc-question-text").waitFor({ state: "detached" });
    const toggle = header(page).getByRole("button", { name: "Conversations", exact: true });
    await toggle.click();
    await page.keyboard.press("Escape");
    await toggle.and(page.locator(":focus")).waitFor();
    await toggle.click();
    await dialog(page).getByRole("navigation").getByRole("button", { name: /^Explain canals/ }).click();
    await dialog(page).locator(".oc-question-text", { hasText: "Explain canals" }).waitFor();
    await composer(page).and(page.locator(":focus")).waitFor();
  }, STILL));

test("a finger drags the launcher, and the page does not scroll meanwhile", inChromium("its developer tools have a finger"), () =>
  suite.withPage(
    async (page) => {
      const devtools = await page.context().newCDPSession(page);
      const touch = (type, ...touchPoints) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
      const { x, y } = await box(launcher(page));
      await touch("touchStart", { x: x + 30, y: y + 20 });
      for (const step of [1, 2, 3, 4]) await touch("touchMove", { x: x + 30 - step * 30, y: y + 20 - step * 120 });
      await touch("touchEnd");
      const { left, top } = await distances(page, launcher(page));
      assert.deepEqual([left, top], [20, 20]);
      assert.equal(await page.evaluate(() => scrollY), 0);
      assert.equal(await dialog(page).count(), 0);
    },
    { ...STILL, width: 320, height: 640, hasTouch: true, isMobile: true },
  ));
