// Pictures of the main states for people to look at: screenshots/, which is not in git.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { answered, composer, say } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp({ tokensPerSecond: 400 });
const FOLDER = join(import.meta.dirname, "..", "screenshots");
mkdirSync(FOLDER, { recursive: true });

const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`${colorScheme}, ${size}`, () =>
      suite.withPage(
        async (page) => {
          const shot = (name) => page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}-${size}.png`) });
          await shot("dashboard-empty");
          await page.getByRole("button", { name: /Ask Claude/ }).click();
          await composer(page).waitFor();
          await shot("launcher-open");
          await say(page, "Compare rivers and canals in a table, with a small Rust program");
          await (await answered(page, 1, "complete")).locator('code [data-kind="kwd"]').first().waitFor();
          await say(page, "What is 12 * 12?");
          await answered(page, 2, "complete");
          await shot("launcher-answered");
          await page.keyboard.press("Escape");
          await shot("dashboard");
          await page.getByRole("link", { name: "Chat" }).click();
          await composer(page).waitFor();
          await shot("chat");
          await say(page, "/pace 30 /length 400 Tell me about rivers");
          await page.waitForFunction(() => [...document.querySelectorAll(".oc-answer .oc-markdown")].at(-1)?.textContent.length > 200);
          await shot("chat-streaming");
          await page.getByRole("button", { name: "Stop" }).click();
          await page.getByText(/counting what it used/i).waitFor();
          await shot("chat-settling");
          await answered(page, 3, "stopped");
          await shot("chat-stopped");
          await say(page, "/throttle 99 hi");
          await answered(page, 4, "failed");
          await shot("chat-error");
          await page.getByRole("link", { name: "Usage", exact: true }).click();
          await page.getByRole("row", { name: /^Total/ }).waitFor();
          await shot("usage");
        },
        { colorScheme, ...viewport, reducedMotion: "reduce" },
      ));

    test(`${colorScheme}, ${size}: a message that waits for the connection, before and after the page is loaded anew`, () =>
      suite.withWire(
        async (page, wire) => {
          const shot = (name) => page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}-${size}.png`) });
          await say(page, "What is 12 * 12?");
          await answered(page, 1, "complete");
          wire.down();
          await say(page, "And 13 * 13?");
          await page.getByText("Waiting for the connection.").waitFor();
          await page.locator('.oc-connection[data-state="reconnecting"]').first().waitFor();
          await shot("chat-waiting");
          await page.reload();
          await page.getByText("Waiting for the connection.").waitFor();
          await page.locator('.oc-connection[data-state="reconnecting"]').first().waitFor();
          await shot("chat-waiting-reloaded");
        },
        { path: "/#/chat", colorScheme, ...viewport, reducedMotion: "reduce", expected: (fault) => fault.includes("WebSocket connection") },
      ));
  }
}
