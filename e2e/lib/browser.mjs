// Headless Chromium, and pages that notice what a page must never do.

import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM || "/usr/bin/chromium";

/** How long a condition may take to come true. */
const CONDITION_TIMEOUT_MS = 20_000;

/** `args` are switches of Chromium. */
export async function launch(args = []) {
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", "--disable-gpu", ...args] });
}

/**
 * A page in a context of its own. `faults` gathers errors of the page and requests to any other host; what a test expects it
 * takes out again.
 */
export async function openPage(browser, url, { path = "/", width = 1280, height = 800, colorScheme = "light", reducedMotion = "no-preference", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion, ...options });
  context.setDefaultTimeout(CONDITION_TIMEOUT_MS);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const host = new URL(url).host;
  page.on("request", (request) => {
    if (new URL(request.url()).host !== host) faults.push(`request to another host: ${request.url()}`);
  });
  await page.goto(new URL(path, url).href);
  return { page, context, faults };
}
