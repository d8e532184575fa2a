import assert from "node:assert/strict";
import { test } from "node:test";
import { isLostConnection } from "../lib/browser.mjs";
import { answered, connected, grown, lastAnswer, say, textOf } from "../lib/chat.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { setUp } from "../lib/setup.mjs";
import { numbers } from "../lib/wire.mjs";

const suite = setUp({ tokensPerSecond: 100 });
const CHAT = { path: "/#/chat", expected: isLostConnection };
const PROMPT = "/length 400 Tell me about rivers";
const SEED = 20_261_123;

const LONG_PROMPT = "/length 1000 Tell me about rivers";

/** What the page shows of a prompt where nothing goes wrong. The emulator's answers depend on the prompt alone, not on its pace. */
const uncut = new Map();
async function expectedText(prompt = PROMPT) {
  if (!uncut.has(prompt)) {
    await suite.withWire(async (page) => {
      await say(page, prompt);
      uncut.set(prompt, await textOf(await answered(page, 1, "complete")));
    }, CHAT);
  }
  return uncut.get(prompt);
}

const withWire = (body) => suite.withWire(body, { ...CHAT, proxyOptions: { tokensPerSecond: 100 } });

test("an answer that is cut many times on any byte is shown whole", async () => {
  const expected = await expectedText(LONG_PROMPT);
  await withWire(async (page, wire) => {
    const below = numbers(SEED);
    // The waits between attempts grow, and the answer would be over before it was cut often enough.
    await page.evaluate(() => void setInterval(() => dispatchEvent(new Event("online")), 50));
    await say(page, LONG_PROMPT);
    for (let cut = 0; cut < 5; cut += 1) {
      const length = await grown(page, 0);
      await wire.cutAfter(200 + below(2_000));
      await grown(page, length);
    }
    assert.equal(wire.cuts, 5);
    assert.equal(await textOf(await answered(page, 1, "complete")), expected, `seed ${SEED}`);
  });
});

test("an answer goes on where it was when the page is loaded anew", async () => {
  const expected = await expectedText();
  await suite.withPage(async (page) => {
    await say(page, PROMPT);
    const length = await grown(page, 100);
    await page.reload();
    await grown(page, length + 50);
    assert.equal(await lastAnswer(page).getAttribute("data-phase"), "streaming");
    const answer = await answered(page, 1, "complete");
    assert.equal(await textOf(answer), expected);
    assert.match(await answer.locator(".oc-usage").innerText(), /out/);
  }, CHAT);
});

for (const stopped of [false, true]) {
  test(stopped ? "Stop in one tab stops the answer in both" : "two tabs show the same answer", async () => {
    const expected = await expectedText();
    await suite.withPage(async (page) => {
      await say(page, PROMPT);
      await grown(page, 100);
      // A tab that opens the same conversation from the list.
      const other = await page.context().newPage();
      await other.goto(page.url());
      await connected(other);
      await other.getByRole("navigation", { name: "Conversations" }).getByText("Tell me about rivers").first().click();
      await grown(other, 100);
      if (stopped) await other.getByRole("button", { name: "Stop" }).click();
      const phase = stopped ? "stopped" : "complete";
      const texts = await Promise.all([page, other].map(async (tab) => textOf(await answered(tab, 1, phase))));
      assert.equal(texts[0], texts[1]);
      if (stopped) assert.ok(texts[0].length < expected.length && texts[0].length > 100);
      else assert.equal(texts[0], expected);
    }, CHAT);
  });
}

test("Stop works after a resume, and the next message at once", () =>
  withWire(async (page, wire) => {
    await say(page, "/length 1200 Tell me about rivers");
    const length = await grown(page, 50);
    wire.cut();
    await grown(page, length + 50);
    await page.getByRole("button", { name: "Stop" }).click();
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 2, "complete")), /2 \+ 2 = 4/);
    const first = await answered(page, 1, "stopped");
    assert.match(await first.locator(".oc-usage").innerText(), /out/);
  }));

test("a proxy that is told to stop ends its answer first, and the page goes on with the next one", async () => {
  const expected = await expectedText();
  await suite.withPage(async (page) => {
    await say(page, PROMPT);
    await grown(page, 100);
    const { port, data } = suite.proxy;
    await suite.proxy.stop();
    assert.equal(await textOf(await answered(page, 1, "complete")), expected);
    suite.proxy = await startProxy({ port, data, tokensPerSecond: 100 });
    await connected(page);
    await say(page, "3+4");
    assert.match(await textOf(await answered(page, 2, "complete")), /3 \+ 4 = 7/);
  }, CHAT);
});
