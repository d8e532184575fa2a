// A message that was sent is neither lost nor answered twice when the page is loaded anew before it hears of its answer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, answers, connected, grown, say, textOf } from "../lib/chat.mjs";
import { startEmulator } from "../lib/emulator.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { setUp } from "../lib/setup.mjs";
import { startWire } from "../lib/wire.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat", expected: (fault) => fault.includes("WebSocket connection") };
const PROMPT = "/length 200 Tell me about rivers";

let emulator;
before(async () => (emulator = await startEmulator({ tokensPerSecond: 100 })));
after(() => emulator?.stop());

/** What the same prompt is answered where nothing goes wrong. The emulator's answers depend on the prompt alone. */
let undisturbed;
async function expectedText() {
  undisturbed ??= (async () => {
    let text;
    await suite.withPage(async (page) => {
      await say(page, PROMPT);
      text = await textOf(await answered(page, 1, "complete"));
    }, CHAT);
    return text;
  })();
  return undisturbed;
}

/** Runs `body` with a page that reaches a proxy of its own through a wire, and the address of that proxy without it. */
async function withWire(body) {
  const wire = await startWire();
  const inDemoMode = suite.proxy;
  await fetch(`${emulator.url}/_emulator/ledger`, { method: "DELETE" });
  const proxy = await startProxy({ env: emulator.env, args: ["--allowed-origins", wire.url] });
  try {
    wire.lead(proxy.port);
    suite.proxy = { ...proxy, url: wire.url };
    await suite.withPage((page) => body(page, wire, proxy), CHAT);
  } finally {
    suite.proxy = inDemoMode;
    await wire.close();
    await proxy.stop();
  }
}

const questions = (page) => page.locator(".oc-question-text");

/** The only question and its only answer, whole, for which there was one call. */
async function assertAnsweredOnce(page) {
  assert.equal(await textOf(await answered(page, 1, "complete")), await expectedText());
  await assertShownOnce(page);
  assert.deepEqual((await emulator.calls()).map((call) => call.outcome), ["completed"]);
}

async function assertShownOnce(page) {
  assert.deepEqual(await questions(page).allInnerTexts(), [PROMPT]);
  assert.equal(await answers(page).count(), 1);
}

/** The same conversation in another tab, on a connection that works. */
async function openElsewhere(page, proxy) {
  const other = await page.context().newPage();
  await other.goto(`${proxy.url}/#/chat`);
  await connected(other);
  await other.getByRole("navigation", { name: "Conversations" }).getByText("Tell me about rivers").first().click();
  return other;
}

test("a message that waits for the connection outlives the page, and is answered once", () =>
  withWire(async (page, wire) => {
    wire.down();
    await say(page, PROMPT);
    for (const reloads of [0, 1, 2]) {
      if (reloads > 0) await page.reload();
      await page.getByText("Waiting for the connection…").waitFor();
      await assertShownOnce(page);
    }
    assert.deepEqual(await emulator.calls(), []);
    wire.up();
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await assertAnsweredOnce(page);
    await page.reload();
    await assertAnsweredOnce(page);
  }));

test("a message whose acknowledgement is lost is attached to its answer", () =>
  withWire(async (page, wire, proxy) => {
    wire.mute();
    await say(page, PROMPT);
    await emulator.waitFor(1);
    await grown(await openElsewhere(page, proxy), 20);
    assert.equal(await answers(page).first().getAttribute("data-phase"), "sent", "the page has heard nothing");
    await page.reload();
    await grown(page, 20);
    await assertShownOnce(page);
    await assertAnsweredOnce(page);
  }));

test("a message whose acknowledgement is lost gets the answer that was stored meanwhile", () =>
  withWire(async (page, wire, proxy) => {
    wire.mute();
    await say(page, PROMPT);
    await emulator.waitFor(1, { ended: true });
    await answered(await openElsewhere(page, proxy), 1, "complete");
    assert.equal(await answers(page).first().getAttribute("data-phase"), "sent", "the page has heard nothing");
    await page.reload();
    await assertAnsweredOnce(page);
    await page.reload();
    await assertAnsweredOnce(page);
  }));

test("the conversation so far is shown with the message that waits, each once", () =>
  withWire(async (page, wire) => {
    await say(page, "2+2");
    await answered(page, 1, "complete");
    wire.down();
    await say(page, "2+2");
    await page.reload();
    await page.getByText("Waiting for the connection…").waitFor();
    wire.up();
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await answered(page, 2, "complete");
    assert.deepEqual(await questions(page).allInnerTexts(), ["2+2", "2+2"]);
    assert.equal(await answers(page).count(), 2);
    assert.equal((await emulator.calls()).length, 2);
  }));

test("a message that was stopped before it went out is not sent by the next page", () =>
  withWire(async (page, wire) => {
    wire.down();
    await say(page, PROMPT);
    await page.getByRole("button", { name: "Stop" }).click();
    await answered(page, 1, "stopped");
    wire.up();
    await page.reload();
    await connected(page);
    await say(page, "2+2");
    await answered(page, 1, "complete");
    assert.deepEqual(await questions(page).allInnerTexts(), ["2+2"]);
    assert.equal((await emulator.calls()).length, 1);
  }));
