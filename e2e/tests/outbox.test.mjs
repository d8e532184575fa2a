// A message that was sent is neither lost nor answered twice when the page is loaded anew before it hears of its answer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isLostConnection } from "../lib/browser.mjs";
import { answered, answers, connected, grown, say, textOf } from "../lib/chat.mjs";
import { startEmulator } from "../lib/emulator.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat", expected: isLostConnection };
const PROMPT = "/length 200 Tell me about rivers";

let emulator;
before(async () => (emulator = await startEmulator({ tokensPerSecond: 100 })));
after(() => emulator?.stop());

/** What the same prompt is answered where nothing goes wrong: the emulator's answers depend on the prompt alone. */
let undisturbed;
async function learn() {
  if (undisturbed !== undefined) return;
  await suite.withPage(async (page) => {
    await say(page, PROMPT);
    undisturbed = await textOf(await answered(page, 1, "complete"));
  }, CHAT);
}

/** Runs `body` with a page behind a wire and an emulator that has not been called. */
async function withWire(body) {
  await learn();
  await emulator.forget();
  await suite.withWire(
    async (page, wire, proxy) => {
      await page.addInitScript(countMost);
      await body(page, wire, proxy);
    },
    { ...CHAT, proxyOptions: { env: emulator.env } },
  );
}

/** Runs in the page: notes how many questions and answers it ever showed at a time, since it was loaded. */
function countMost() {
  window.most = [0, 0];
  const count = () => {
    window.most = [".oc-question-text", ".oc-answer"].map((name, at) => Math.max(window.most[at], document.querySelectorAll(name).length));
  };
  new MutationObserver(count).observe(document, { childList: true, subtree: true });
}

const questions = (page) => page.locator(".oc-question-text");

/** The only question and its only answer, whole, for which there was one call. */
async function assertAnsweredOnce(page) {
  assert.equal(await textOf(await answered(page, 1, "complete")), undisturbed);
  await assertShownOnce(page);
  assert.deepEqual((await emulator.calls()).map((call) => call.outcome), ["completed"]);
}

async function assertShownOnce(page) {
  await assertShown(page, [PROMPT]);
}

/** These questions are shown, each with one answer, and at no time since the page was loaded were there more. */
async function assertShown(page, texts) {
  assert.deepEqual(await questions(page).allInnerTexts(), texts);
  assert.equal(await answers(page).count(), texts.length);
  const most = await page.evaluate(() => window.most);
  assert.deepEqual(most ?? [texts.length, texts.length], [texts.length, texts.length]);
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
      await page.getByText("Waiting for the connection.").waitFor();
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
    await page.getByText("Waiting for the connection.").waitFor();
    wire.up();
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await answered(page, 2, "complete");
    await assertShown(page, ["2+2", "2+2"]);
    assert.equal((await emulator.calls()).length, 2);
  }));

for (const fails of ["down", "mute"]) {
  test(`a question whose answer failed without a word and that is sent again on a wire that is ${fails} is shown once`, () =>
    withWire(async (page, wire) => {
      // The proxy asks Bedrock four times for one message; the emulator refuses the first four.
      const prompt = "/throttle 4 2+2";
      await say(page, prompt);
      const alert = (await answered(page, 1, "failed")).getByRole("alert");
      wire[fails]();
      await alert.getByRole("button", { name: "Retry", exact: true }).and(page.locator('[aria-disabled="false"]')).click();
      if (fails === "mute") await emulator.waitFor(5, { ended: true });
      await page.reload();
      if (fails === "down") {
        await page.getByText("Waiting for the connection.").waitFor();
        wire.up();
        await page.evaluate(() => window.dispatchEvent(new Event("online")));
      }
      for (const reloads of [0, 1]) {
        if (reloads > 0) await page.reload();
        assert.match(await textOf(await answered(page, 1, "complete")), /2 \+ 2 = 4/);
        await assertShown(page, [prompt]);
      }
      assert.equal((await emulator.calls()).filter((call) => call.outcome === "completed").length, 1);
    }));
}

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
    await assertShown(page, ["2+2"]);
    assert.equal((await emulator.calls()).length, 1);
  }));
