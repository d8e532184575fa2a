// The package in fresh projects with bundlers that have no plugin for it: each page gets an answer from a demo proxy in a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { filesIn, project } from "./lib/project.mjs";
import { answerOf, startProxy } from "./lib/proxy.mjs";

/** What a browser may have to load, compressed. */
const MAX_BROTLI_BYTES = 45 * 1024;

const ANSWER = /I am the Bedrock emulator/;

async function answers(t, www) {
  const { url } = await startProxy(t, { www });
  assert.match(await answerOf(t, url), ANSWER);
}

/** The page of a server of its own gets an answer from a proxy that allows it to. */
async function gets(t, page) {
  const { ws } = await startProxy(t, { args: ["--allowed-origins", page] });
  assert.match(await answerOf(t, `${page}/?proxy=${encodeURIComponent(ws)}`), ANSWER);
}

test("Vite builds it, without a plugin and small, and its page gets an answer", async (t) => {
  const { folder, run } = await project("vite");
  await run("tsc", "--noEmit");
  await run("vite", "build");
  const loaded = filesIn(join(folder, "dist")).filter((path) => /\.(js|wasm)$/.test(path));
  const module = loaded.find((path) => path.endsWith(".wasm"));
  assert.ok(module && WebAssembly.validate(readFileSync(module)), `no module in ${loaded.join(", ")}`);
  const brotli = loaded.reduce((sum, path) => sum + brotliCompressSync(readFileSync(path)).length, 0);
  t.diagnostic(`all that a browser loads of an app with one call: ${brotli} bytes by brotli`);
  assert.ok(brotli <= MAX_BROTLI_BYTES, `${brotli} bytes are more than ${MAX_BROTLI_BYTES}`);
  await answers(t, join(folder, "dist"));
});

test("Vite's development server serves it without configuration", async (t) => {
  const { start } = await project("vite-dev", "vite");
  await gets(t, await start(t, /(http:\/\/localhost:\d+)/, "vite"));
});

test("Vite with SolidJS builds it and its page gets an answer", async (t) => {
  const { folder, run } = await project("vite-solid");
  await run("vite", "build");
  await answers(t, join(folder, "dist"));
});

test("webpack builds it without a warning and its page gets an answer", async (t) => {
  const { folder, run } = await project("webpack");
  await run("node", "build.mjs");
  await answers(t, join(folder, "dist"));
});

test("Next renders a component with it on the server, and its page gets an answer", async (t) => {
  const { folder, run, start } = await project("next");
  await run("next", "build");
  assert.match(readFileSync(join(folder, ".next", "server", "app", "index.html"), "utf8"), /data-status="idle"/);
  await gets(t, await start(t, /(http:\/\/localhost:\d+)/, "next", "start", "--port", "0"));
});
