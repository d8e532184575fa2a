// Programs and a page for one state that is looked at: an emulator that plays its script, and a proxy of its own, at a noon that stands still.

import assert from "node:assert/strict";
import { openPage } from "./browser.mjs";
import { connected } from "./chat.mjs";
import { startEmulator } from "./emulator.mjs";
import { atNoon } from "./faketime.mjs";
import { dataFolder, startProxy } from "./proxy.mjs";
import { freeze, holdStill } from "./still.mjs";
import { startWire } from "./wire.mjs";

/** Runs `body` with a page in this state. Nothing may go wrong in it but what the state has `expected`. */
export async function withState(browser, state, viewport, body) {
  const { path = "/#/chat", ready = connected, expected = () => false, reach } = state;
  const stage = await startStage(state);
  const { page, context, faults } = await openPage(browser, stage.url, { path, ...viewport, reducedMotion: "reduce", locale: "en-US", timezoneId: "UTC", prepare: holdStill });
  try {
    await ready(page);
    await reach?.(page, stage);
    // The list of conversations comes by itself.
    await page.waitForFunction(() => document.querySelector(".oc-sessions") === null || document.querySelector(".oc-sessions li, .oc-sessions .oc-notice") !== null);
    await page.evaluate(() => document.fonts.ready);
    await freeze(page);
    await body(page);
    assert.deepEqual(faults.filter((fault) => !expected(fault)), []);
  } finally {
    await context.close();
    await stage.stop();
  }
}

/** `before` fills the folder of conversations; `wired` has the page reach the proxy over a wire that can be cut. */
async function startStage({ script = [], args = [], env = {}, demo = false, before, wired = false }) {
  const data = dataFolder();
  await before?.(data);
  const emulator = await startEmulator({ tokensPerSecond: 0, env: atNoon() });
  if (script.length > 0) await emulator.script(script);
  const wire = wired ? await startWire() : undefined;
  const options = { args: wire === undefined ? args : [...args, "--allowed-origins", wire.url], demo, data, env: { ...emulator.env, ...env, ...atNoon() } };
  let proxy = await startProxy(options);
  wire?.lead(proxy.port);
  return {
    wire,
    get url() {
      return wire?.url ?? proxy.url;
    },
    /** Ends the proxy as a crash would, and starts it again. */
    async restart() {
      const { port } = proxy;
      await proxy.kill();
      proxy = await startProxy({ ...options, port });
    },
    async stop() {
      await wire?.close();
      // Many states are answers without an end, which they would wait for.
      await Promise.all([proxy.kill(), emulator.kill()]);
    },
  };
}
