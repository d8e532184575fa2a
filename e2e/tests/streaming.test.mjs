import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, answers, composer, grown, lastAnswer, say, textOf } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp({ tokensPerSecond: 40 });
const CHAT = { path: "/#/chat" };

test("text grows while it streams, and ends with usage and cost", () =>
  suite.withPage(async (page) => {
    await composer(page).pressSequentially("Explain rivers with a table");
    await composer(page).press("Enter");
    const lengths = [await grown(page, 0)];
    while (lengths.length < 6) lengths.push(await grown(page, lengths.at(-1)));
    assert.equal(await lastAnswer(page).getAttribute("data-phase"), "streaming");
    assert.ok(lengths.every((length, index) => index === 0 || length > lengths[index - 1]), lengths.join(" "));
    const answer = await answered(page, 1, "complete");
    const usage = await answer.locator(".oc-usage").innerText();
    assert.match(usage.replace(/\s+/g, " "), /^[\d,]+ in [\d,]+ out \$0\.\d{3,4}$/);
    const total = await page.locator(".oc-total").innerText();
    assert.match(total, /\$0\.\d{3,4}/);
    assert.equal(await page.getByRole("button", { name: "Copy answer" }).count(), 1);
  }, CHAT));

test("an answer stops where the person stops it, keeps its text and says what it used", () =>
  suite.withPage(async (page) => {
    await say(page, "/length 400 Tell me about rivers");
    await grown(page, 40);
    await page.getByRole("button", { name: "Stop" }).click();
    const answer = await answered(page, 1, "stopped");
    const text = await textOf(answer);
    assert.ok(text.length > 40);
    assert.match(await answer.locator(".oc-meta").innerText(), /Stopped/);
    assert.match(await answer.locator(".oc-usage").innerText(), /out/);
    // The next answer is whole before the stopped one is looked at again: what might still have come has had its time.
    await say(page, "2+2");
    await answered(page, 2, "complete");
    assert.equal(await textOf(answers(page).first()), text);
  }, CHAT));

test("Esc stops an answer before its first token", () =>
  suite.withPage(async (page) => {
    await say(page, "/first 8000 /length 10 Tell me about rivers");
    await page.getByText("Thinking…").waitFor();
    await composer(page).press("Escape");
    const answer = await answered(page, 1, "stopped");
    assert.equal(await answer.locator(".oc-markdown").count(), 0);
    // In another conversation: the model would be sent the unanswered question too, and the emulator would wait again.
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 1, "complete")), /2 \+ 2 = 4/);
  }, CHAT));

test("the end is followed until the reader scrolls up, and again after a jump", () =>
  suite.withPage(async (page) => {
    const messages = page.getByRole("region", { name: "Messages" });
    const fromEnd = () => messages.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop);
    await say(page, "/pace 200 /length 1500 Tell me about rivers");
    await page.waitForFunction(() => document.querySelector(".oc-messages").scrollTop > 200);
    assert.ok((await fromEnd()) < 100);
    await messages.hover();
    await page.mouse.wheel(0, -400);
    const jump = page.getByRole("button", { name: "Jump to latest" });
    await jump.waitFor();
    const top = await messages.evaluate((element) => element.scrollTop);
    const length = await grown(page, 0);
    await grown(page, length + 200);
    assert.ok((await messages.evaluate((element) => element.scrollTop)) <= top + 1, "the reader was moved");
    await jump.click();
    await jump.waitFor({ state: "detached" });
    await grown(page, await grown(page, 0));
    assert.ok((await fromEnd()) < 100);
  }, CHAT));

test("on a narrow screen a message of several lines is followed by its answer in sight", () =>
  suite.withPage(
    async (page) => {
      await say(page, "2+2");
      await answered(page, 1, "complete");
      await say(page, "/pace 200 /length 600 Tell me about rivers and canals and the people who dig them");
      await grown(page, 1500);
      assert.equal(await page.getByRole("button", { name: "Jump to latest" }).count(), 0);
    },
    { ...CHAT, width: 320, height: 560 },
  ));

test("↑ brings back the last message, Shift+Enter makes a new line", () =>
  suite.withPage(async (page) => {
    await say(page, "2+2");
    await answered(page, 1);
    await composer(page).press("ArrowUp");
    assert.equal(await composer(page).inputValue(), "2+2");
    await composer(page).press("Shift+Enter");
    await composer(page).pressSequentially("more");
    assert.equal(await composer(page).inputValue(), "2+2\nmore");
  }, CHAT));

test("reasoning is folded away above the answer", () =>
  suite.withPage(async (page) => {
    await say(page, "/pace 0 /reasoning Tell me about rivers");
    const answer = await answered(page, 1, "complete");
    await answer.locator(".oc-reasoning summary", { hasText: "Thought for" }).click();
    assert.match(await answer.locator(".oc-reasoning p").innerText(), /subject of the question/);
    assert.doesNotMatch(await textOf(answer), /subject of the question\. /);
  }, CHAT));
