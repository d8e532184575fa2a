// The proxy in demo mode, and a browser that opens the pages it serves.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startProgram } from "../../../../e2e/lib/program.mjs";
import { ROOT } from "./project.mjs";

const PROXY = process.env.OUTCROP_PROXY_BIN ?? join(ROOT, "target", "debug", "outcrop-proxy");
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const PAGE_TIMEOUT_MS = 30_000;

/** Ends with the test `t`. `www` is a folder of pages to serve, `pace` how many tokens come in a second: 0 is as fast as it can. */
export async function startProxy(t, { www, pace = 0, args = [] } = {}) {
  const data = mkdtempSync(join(tmpdir(), "outcrop-package-"));
  const served = www ? ["--www", www] : [];
  const demo = ["--demo", "--demo-pace", String(pace)];
  const program = await startProgram(PROXY, ["serve", "--listen", "127.0.0.1:0", "--data-dir", data, ...demo, ...served, ...args]);
  t.after(async () => {
    await program.stop();
    rmSync(data, { recursive: true, force: true });
  });
  return { url: program.url, ws: `${program.url.replace("http", "ws")}/ws` };
}

/** A page of a browser that ends with the test `t`, and every error it tells of. */
export async function openPage(t, url) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PAGE_TIMEOUT_MS);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(url);
  return { page, faults };
}

/** What the page at `url` shows in #answer, once it says that it is done; fails with every error of the page. */
export async function answerOf(t, url) {
  const { page, faults } = await openPage(t, url);
  await page.locator("#answer[data-done]").waitFor().catch((error) => faults.push(error.message));
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return page.locator("#answer").textContent();
}
