import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, say, textOf } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat" };

test("a table and highlighted code appear, and code can be copied", () =>
  suite.withPage(
    async (page) => {
      await say(page, "Write a small Rust program");
      const answer = await answered(page, 1, "complete");
      assert.ok((await answer.getByRole("table").locator("tr").count()) >= 2);
      await answer.locator('code [data-kind="kwd"]').first().waitFor();
      const code = await answer.locator("pre code").innerText();
      await answer.getByRole("button", { name: "Copy code" }).click();
      await answer.locator(".oc-code").getByText("Copied").waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
    },
    { ...CHAT, permissions: ["clipboard-read", "clipboard-write"] },
  ));

test("markup in an answer is text: nothing runs, nothing is loaded", () =>
  suite.withPage(async (page) => {
    const nasty = [
      "<script>window.ran = 1</script>",
      "<img src=x onerror='window.ran = 2'>",
      "![pixel](https://elsewhere.example/pixel.png?secret)",
      "<iframe src='javascript:parent.ran = 3'></iframe>",
      "[link](javascript:window.ran=4)",
      "<svg onload='window.ran = 5'>",
    ];
    // The emulator quotes the question in its answer.
    await say(page, `Explain this page: ${nasty.join(" ")}`);
    const answer = await answered(page, 1, "complete");
    assert.match(await textOf(answer), /<script>window\.ran = 1<\/script>/);
    assert.equal(await answer.locator("img, script, iframe, svg:not(.oc-icon), object, embed").count(), 0);
    for (const link of await answer.locator("a").all()) {
      assert.match(await link.getAttribute("href"), /^https?:/);
      assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
    }
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.equal(await page.locator("img").count(), 0);
  }, CHAT));

test("the built page has no script or style of its own between its tags", async () => {
  const html = await (await fetch(suite.proxy.url)).text();
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)[^>]*>/);
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=/);
  assert.doesNotMatch(html, /https?:\/\//);
});
