// The README's moving picture: a question, a tool call and its answer in the dashboard, as a person sees them. `npm run pictures -w e2e`.

import { mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { launch, openPage } from "./lib/browser.mjs";
import { answered, composer, connected } from "./lib/chat.mjs";
import { startProxy } from "./lib/proxy.mjs";

const FOLDER = resolve(import.meta.dirname, "../docs/images");
const SIZE = { width: 960, height: 600 };
const FRAME_MS = 120;
const LAST_FRAME_MS = 3_000;

const proxy = await startProxy({ tokensPerSecond: 45 });
const browser = await launch();
mkdirSync(FOLDER, { recursive: true });
try {
  for (const colorScheme of ["light", "dark"]) {
    const { page } = await openPage(browser, proxy.url, { path: "/#/chat", colorScheme, ...SIZE });
    await connected(page);
    await composer(page).waitFor();
    const frames = [];
    const film = async (until) => {
      let isOver = false;
      const over = until.then(() => (isOver = true));
      while (!isOver) {
        frames.push(await page.screenshot());
        await page.waitForTimeout(FRAME_MS);
      }
      await over;
    };
    await film(composer(page).pressSequentially("How much did we spend this week?", { delay: 45 }));
    await composer(page).press("Enter");
    await film(answered(page, 1, "complete"));
    await film(composer(page).pressSequentially("Write a small Rust program", { delay: 45 }));
    await composer(page).press("Enter");
    await film(answered(page, 2, "complete"));
    frames.push(await page.screenshot());
    const path = join(FOLDER, `chat-${colorScheme}.webp`);
    const delay = frames.map((_, index) => (index === frames.length - 1 ? LAST_FRAME_MS : FRAME_MS));
    await sharp(frames, { join: { animated: true } }).webp({ quality: 70, effort: 4, delay, loop: 0 }).toFile(path);
    console.log(`${path}: ${frames.length} frames, ${statSync(path).size} bytes`);
    await page.context().close();
  }
} finally {
  await browser.close();
  await proxy.stop();
}
