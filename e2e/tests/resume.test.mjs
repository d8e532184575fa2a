// Networks drop, tabs reload, people stop: the page shows what Bedrock sent, no more and no less.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openPage } from "../lib/browser.mjs";
import { answered, answers, connected, grown, lastAnswer, say, textOf } from "../lib/chat.mjs";
import { random, startNetwork } from "../lib/network.mjs";
import { startProxy } from "../lib/proxy.mjs";

const SEED = Number(process.env.OUTCROP_SEED ?? 20261123);
const CUTS = 12;
const QUESTION = "/length 700 Tell me about rivers with a table";
const CHAT = { path: "/#/chat" };

const shared = {};
before(async () => {
  shared.proxy = await startProxy({ tokensPerSecond: 100 });
  shared.network = await startNetwork(shared.proxy.port);
  shared.browser = await launch();
  shared.expected = await uncut();
});
after(async () => {
  await shared.browser?.close();
  await shared.network?.stop();
  await shared.proxy?.stop();
});

/** The answer over a network without faults: the emulator says the same thing to the same question. */
async function uncut() {
  const { page, context } = await openPage(shared.browser, shared.proxy.url, CHAT);
  await connected(page);
  await say(page, QUESTION);
  const text = await textOf(await answered(page, 1, "complete"));
  await context.close();
  return text;
}

/** A connected page whose traffic goes over the network that can be cut. */
async function withPage(body) {
  const { page, context } = await openPage(shared.browser, shared.network.url, CHAT);
  try {
    await connected(page);
    await body(page, context);
  } finally {
    await context.close();
  }
}

/** What the page shows is all there is, once, with its usage. */
async function assertWhole(page, count = 1) {
  const answer = await answered(page, count, "complete");
  assert.equal(await textOf(answer), shared.expected, `seed ${SEED}`);
  assert.match((await answer.locator(".oc-usage").innerText()).replace(/\s+/g, " "), /700 out/);
}

test("an answer that is cut again and again, on any byte, is whole", () =>
  withPage(async (page) => {
    const { network } = shared;
    const next = random(SEED);
    const before = network.cuts;
    await say(page, QUESTION);
    for (let cut = 1; cut <= CUTS; cut += 1) {
      network.cutAfter(Math.floor(next() * 4_000));
      await page.waitForFunction(() => document.querySelector(".oc-answer")?.dataset.phase !== undefined);
      while (network.cuts < before + cut && (await lastAnswer(page).getAttribute("data-phase")) !== "complete") {
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
        // The wait before a reconnect is not what is tested.
        await page.evaluate(() => window.dispatchEvent(new Event("online")));
      }
    }
    network.cutAfter(Infinity);
    await assertWhole(page);
    assert.ok(network.cuts > before, "it was cut");
    assert.equal(await answers(page).count(), 1);
  }));

test("a reload in mid-answer goes on with it", () =>
  withPage(async (page) => {
    await say(page, QUESTION);
    await grown(page, 200);
    await page.reload();
    const shown = await grown(page, 0);
    assert.ok(shown > 0);
    await grown(page, shown);
    assert.equal(await lastAnswer(page).getAttribute("data-phase"), "streaming");
    await assertWhole(page);
    assert.equal(await answers(page).count(), 1);
  }));

test("a second tab shows the same, and a stop in one is a stop in both", () =>
  withPage(async (page, context) => {
    await say(page, "/length 3000 Tell me about rivers");
    await grown(page, 100);
    const other = await context.newPage();
    const session = await page.evaluate(() => sessionStorage.getItem("outcrop.session"));
    await other.addInitScript((id) => sessionStorage.setItem("outcrop.session", id), session);
    await other.goto(page.url());
    await grown(other, 100);
    await other.getByRole("button", { name: "Stop" }).click();
    const [here, there] = await Promise.all([answered(page, 1, "stopped"), answered(other, 1, "stopped")]);
    for (const answer of [here, there]) await answer.locator(".oc-usage").waitFor();
    assert.equal(await textOf(here), await textOf(there));
    assert.equal(await here.locator(".oc-usage").innerText(), await there.locator(".oc-usage").innerText());
    await other.close();
  }));

test("a stop after a resume stops, and the next question can be asked at once", () =>
  withPage(async (page) => {
    await say(page, "/length 3000 Tell me about rivers");
    const shown = await grown(page, 100);
    shared.network.cutAll();
    await grown(page, shown);
    await page.getByRole("button", { name: "Stop" }).click();
    const stopped = await answered(page, 1, "stopped");
    const text = await textOf(stopped);
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 2, "complete")), /2 \+ 2 = 4/);
    assert.equal(await textOf(stopped), text);
    await stopped.locator(".oc-usage").waitFor();
    assert.match(await stopped.locator(".oc-usage").innerText(), /3,000 out/, "all of it is billed, and reported");
  }));

test("a proxy that restarts finishes its answer, and the page comes back to the new one", async () => {
  let proxy = await startProxy({ tokensPerSecond: 100 });
  const { page, context } = await openPage(shared.browser, proxy.url, CHAT);
  try {
    await connected(page);
    await say(page, QUESTION);
    await grown(page, 100);
    const { port } = proxy;
    assert.equal(await proxy.stop(), 0, "the exit code");
    const answer = await answered(page, 1, "complete");
    assert.equal(await textOf(answer), shared.expected);
    proxy = await startProxy({ port, tokensPerSecond: 0 });
    await connected(page);
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 2, "complete")), /2 \+ 2 = 4/);
  } finally {
    await context.close();
    await proxy.stop();
  }
});
