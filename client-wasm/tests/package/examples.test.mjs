// The examples do what they say, against a demo proxy. That of a terminal is in runtimes.test.mjs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { binPath, project, ROOT } from "./lib/project.mjs";
import { openPage, startProxy } from "./lib/proxy.mjs";

test("the page without a bundler asks, shows the answer as it is made, and stops it", async (t) => {
  const { folder } = await project("page", "../../../examples/page");
  const { url } = await startProxy(t, { www: folder, pace: 40, args: ["--on-stop", "abort"] });
  const { page, faults } = await openPage(t, url);
  const ask = async (message) => {
    await page.getByLabel("Message").fill(message);
    await page.getByRole("button", { name: "Send" }).click();
  };
  const answer = page.locator("#answer");
  await ask("2+2");
  await page.locator("#answer[data-done=end_turn]").waitFor();
  assert.equal(await answer.textContent(), "**2 + 2 = 4**\n");
  await ask("/length 2000");
  await page.waitForFunction(() => document.querySelector("#answer").textContent.length > 20);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.locator("#answer[data-done=cancelled]").waitFor();
  assert.deepEqual(faults, []);
});

/** Every command of a README with what it printed, by the line that begins with `$`. */
function transcripts(path) {
  const blocks = readFileSync(path, "utf8").matchAll(/```console\n\$ (.+)\n([^]*?)```/g);
  return [...blocks].map(([, command, output]) => ({ command, output: output.trim().split("\n") }));
}

/** Frames without what differs each time. Pieces of one text are one: how many there are is a matter of time. */
function masked(lines) {
  const frames = lines.map((line) =>
    line
      .replace(/msg_[0-9a-f]{32}/g, "msg_…")
      .replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"…"')
      .replace(/"usage":\{[^}]*\}/g, '"usage":{…}'));
  const joined = [];
  for (const frame of frames) {
    const piece = /^(.*"chat\.message_stream".*)"first":\d+,"seq":\d+,"content":"(.*)"\}\}$/.exec(frame);
    const last = joined.at(-1);
    if (piece && last?.head === piece[1]) last.text += piece[2];
    else joined.push(piece ? { head: piece[1], text: piece[2] } : { frame });
  }
  return joined;
}

/** What a command prints until there are `count` frames. It is held open until then, and ends with its standard input. */
async function output(command, url, count) {
  const line = command.replace("npx ", "").replace("ws://127.0.0.1:3001/ws", url).replace("-w 1", "-w -1");
  const child = spawn("sh", ["-c", line], { env: { ...process.env, PATH: binPath() }, stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more) => {
    text += more;
    if (text.endsWith("\n") && masked(text.trim().split("\n")).length >= count) child.stdin.end();
  });
  const [code] = await once(child, "close");
  assert.equal(code, 0, command);
  return masked(text.trim().split("\n"));
}

test("wscat gets what its transcripts say", async (t) => {
  const { ws } = await startProxy(t, { pace: 100 });
  const told = transcripts(join(ROOT, "examples", "wscat", "README.md"));
  assert.ok(told.length >= 5);
  for (const { command, output: expected } of told) {
    const frames = masked(expected);
    assert.deepEqual(await output(command, ws, frames.length), frames, command);
  }
});
