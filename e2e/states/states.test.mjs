// Every state of the page as it is kept in screenshots/, and what holds for all of them. To add a state, add a row to chat.mjs or pages.mjs.

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { launch } from "../lib/browser.mjs";
import { misplaced, unseen } from "../lib/layout.mjs";
import { compare } from "../lib/pictures.mjs";
import { withState } from "../lib/stage.mjs";
import { CHAT_STATES } from "./chat.mjs";
import { PAGE_STATES } from "./pages.mjs";

/** `schemes` are those that are compared: a narrow page has the colours of a wide one. */
const SIZES = { wide: { width: 1280, height: 800, schemes: ["light", "dark"] }, narrow: { width: 320, height: 640, schemes: ["light"] } };

/** Letters and colours that do not depend on the machine. */
const SWITCHES = ["--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb"];
const FONTS = { FONTCONFIG_FILE: resolve(import.meta.dirname, "../lib/fonts.conf") };

let browser;
before(async () => (browser = await launch(SWITCHES, FONTS)));
after(() => browser?.close());

for (const { sizes = SIZES, ...state } of [...CHAT_STATES, ...PAGE_STATES]) {
  for (const [size, { schemes, ...viewport }] of Object.entries(sizes)) {
    test(`${state.name}, ${size}`, (t) =>
      withState(browser, state, viewport, async (page) => {
        const holds = (what, check) => t.test(what, check);
        for (const colorScheme of schemes) {
          await page.emulateMedia({ colorScheme });
          await holds(`looks as it did: ${colorScheme}`, async () => {
            const difference = await compare(page, [state.name, size, colorScheme].join("-"));
            assert.ok(difference === undefined, difference);
          });
        }
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await holds(`axe finds nothing: ${colorScheme}`, async () => assert.deepEqual(await violations(page), []));
        }
        await holds("nothing is covered or sticks out", async () => assert.deepEqual(await misplaced(page), []));
        await page.emulateMedia({ forcedColors: "active" });
        await holds("nothing is lost in forced colours", async () => assert.deepEqual(await unseen(page), []));
        await page.emulateMedia({ forcedColors: "none" });
        await page.evaluate(() => (document.documentElement.dir = "rtl"));
        await holds("nothing is covered or sticks out from right to left", async () => assert.deepEqual(await misplaced(page), []));
        await page.evaluate(() => (document.documentElement.dir = "ltr"));
        // Of a window of this size: a narrow one has no room for letters twice as large.
        if (viewport.width < 1280) return;
        await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
        await holds("nothing is covered or sticks out with letters twice as large", async () => assert.deepEqual(await misplaced(page), []));
      }));
  }
}
