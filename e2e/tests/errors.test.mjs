import assert from "node:assert/strict";
import { test } from "node:test";
import { isLostConnection } from "../lib/browser.mjs";
import { answered, answers, connected, grown, say, textOf } from "../lib/chat.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp({ tokensPerSecond: 200 });
const CHAT = { path: "/#/chat" };

test("a throttled message says so, and Retry sends it again", () =>
  suite.withPage(async (page) => {
    // The proxy asks Bedrock four times for one message; the emulator refuses the first four.
    await say(page, "/throttle 4 2+2");
    await page.getByText(/Bedrock is busy\. Asking again/).waitFor();
    const failed = await answered(page, 1, "failed");
    const alert = failed.getByRole("alert");
    assert.match(await alert.innerText(), /Bedrock is throttling requests/);
    const retry = alert.getByRole("button", { name: "Retry", exact: true });
    await retry.and(page.locator('[aria-disabled="false"]')).click();
    const answer = await answered(page, 1, "complete");
    assert.match(await textOf(answer), /2 \+ 2 = 4/);
    assert.equal(await answers(page).count(), 1);
  }, CHAT));

test("an answer that breaks off keeps what had come and says why", () =>
  suite.withPage(async (page) => {
    await say(page, "/error-mid modelStreamErrorException 20 Tell me about rivers");
    const failed = await answered(page, 1, "failed");
    assert.ok((await textOf(failed)).length > 10);
    const alert = await failed.getByRole("alert").innerText();
    assert.match(alert, /The answer broke off/);
    assert.match(alert, /what had come until then/);
  }, CHAT));

test("an error that cannot be retried offers no retry", () =>
  suite.withPage(async (page) => {
    await say(page, "/overflow Tell me about rivers");
    const failed = await answered(page, 1, "failed");
    assert.match(await failed.getByRole("alert").innerText(), /too long for the model/);
    assert.equal(await failed.getByRole("button", { name: /Retry/ }).count(), 0);
  }, CHAT));

test("the page sees the proxy go, comes back with it, and the conversation goes on", () =>
  suite.withPage(
    async (page) => {
      await say(page, "2+2");
      await answered(page, 1, "complete");
      const { port, data } = suite.proxy;
      await suite.proxy.kill();
      await page.locator('.oc-connection[data-state="reconnecting"]').waitFor();
      await page.getByText("Reconnecting", { exact: true }).waitFor();
      suite.proxy = await startProxy({ port, data, tokensPerSecond: 200 });
      await connected(page);
      await say(page, "What did I ask before?");
      assert.match(await textOf(await answered(page, 2, "complete")), /2\+2/);
      assert.match(await textOf(answers(page).first()), /2 \+ 2 = 4/);
    },
    { ...CHAT, expected: isLostConnection },
  ));

test("an answer that went down with the proxy is shown as failed, and most of what had come is kept", () =>
  suite.withPage(
    async (page) => {
      await say(page, "/pace 200 /length 4000 Tell me about rivers");
      // That takes more than the 2 s after which the proxy has kept some of it.
      await grown(page, 3_000);
      const { port, data } = suite.proxy;
      await suite.proxy.kill();
      suite.proxy = await startProxy({ port, data, tokensPerSecond: 200 });
      const shown = await textOf(await answered(page, 1, "failed"));
      assert.ok(shown.length > 3_000);

      await page.reload();
      const failed = await answered(page, 1, "failed");
      assert.match(await failed.getByRole("alert").innerText(), /The answer was interrupted/);
      assert.equal(await page.locator(".oc-question-text").last().innerText(), "/pace 200 /length 4000 Tell me about rivers");
      const kept = await textOf(failed);
      assert.ok(kept.length > 500, `${kept.length} characters are kept`);
      assert.ok(shown.startsWith(kept.slice(0, 500)));
      await say(page, "2+2");
      assert.match(await textOf(await answered(page, 2, "complete")), /2 \+ 2 = 4/);
    },
    { ...CHAT, expected: isLostConnection },
  ));
