// A headless browser, and pages that notice what a page must never do.

import { chromium } from "playwright-core";
import { launchFirefox, wear } from "./firefox.mjs";

/** The browser that the tests run in: `chromium` or `firefox`. */
export const BROWSER = process.env.BROWSER || "chromium";
if (!["chromium", "firefox"].includes(BROWSER)) throw new Error(`BROWSER is ${BROWSER}; it may be chromium or firefox`);

const EXECUTABLE = process.env.CHROMIUM || "/usr/bin/chromium";

/** How long a condition may take to come true. */
const CONDITION_TIMEOUT_MS = 20_000;

/** Options of a test that needs Chromium, for this reason; elsewhere the reason is printed in the test's place. */
export const inChromium = (reason) => (BROWSER === "chromium" ? {} : { skip: `needs Chromium: ${reason}` });

/** Whether a fault is the browser's word for a socket that does not open, or is cut while it does. */
export const isLostConnection = (fault) => /WebSocket connection|(can’t establish a|The) connection to (the server at )?ws:/.test(fault);

/** `args` are switches of Chromium; `env` is added to its environment. */
export async function launch(args = [], env = {}) {
  if (BROWSER === "firefox") return launchFirefox();
  return chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", "--disable-gpu", ...args], env: { ...process.env, ...env } });
}

/**
 * A page in a context of its own, `prepare`d before anything is loaded. `faults` gathers errors of the page and requests to any
 * other host; what a test expects it takes out again.
 */
export async function openPage(browser, url, { path = "/", width = 1280, height = 800, prepare = () => {}, ...options } = {}) {
  const media = { colorScheme: "light", reducedMotion: "no-preference", forcedColors: "none", ...options };
  if (BROWSER === "firefox") await wear(browser, media);
  const context = await browser.newContext({ viewport: { width, height }, ...media });
  context.setDefaultTimeout(CONDITION_TIMEOUT_MS);
  await prepare(context);
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
