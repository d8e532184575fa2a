// What was said is asked again or changed, drafts stay, and a conversation is taken away as a file.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { isLostConnection } from "../lib/browser.mjs";
import { answered, answers, composer, connected, grown, say, textOf } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat", expected: isLostConnection };

const questions = (page) => page.locator(".oc-question-text");
const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Makes a conversation of these messages. */
async function converse(page, ...messages) {
  for (const [index, message] of messages.entries()) {
    await say(page, message);
    await answered(page, index + 1, "complete");
  }
}

/** What the page shows and, after it was loaded anew, what the proxy has. */
async function assertConversation(page, expected) {
  for (const isStored of [false, true]) {
    if (isStored) await page.reload();
    await questions(page).nth(expected.length - 1).waitFor();
    assert.deepEqual(await questions(page).allTextContents(), expected, isStored ? "stored" : "shown");
    await answered(page, expected.length);
    assert.equal(await answers(page).count(), expected.length);
  }
}

test("the last answer is asked for again, and only the new one is kept", async () => {
  await suite.withPage(async (page) => {
    await converse(page, "Tell me about rivers", "And lakes?");
    await button(page, "Ask again").click();
    assert.equal(await composer(page).evaluate((box) => box === document.activeElement), true);
    await answered(page, 2, "complete");
    await assertConversation(page, ["Tell me about rivers", "And lakes?"]);
  }, CHAT);
});

test("an answer under way is stopped and asked for again by keyboard alone", async () => {
  await suite.withPage(async (page) => {
    await say(page, "/pace 50 /length 400 Tell me about rivers");
    await grown(page, 20);
    await page.keyboard.press("Escape");
    await answered(page, 1, "stopped");
    const again = button(page, "Ask again");
    await again.focus();
    await page.keyboard.press("Enter");
    await grown(page, 20);
    await page.keyboard.press("Escape");
    await answered(page, 1, "stopped");
    assert.equal(await answers(page).count(), 1);
  }, CHAT);
});

test("a message is changed: what follows gives way, here and in another page", async () => {
  await suite.withPage(async (page) => {
    await converse(page, "Tell me about rivers", "And lakes?");
    await composer(page).fill("a draft");
    await questions(page).first().hover();
    await button(page, "Edit message").first().click();
    assert.equal(await composer(page).inputValue(), "Tell me about rivers");
    assert.equal(await page.locator("[data-giving-way]").count(), 3);
    await composer(page).fill("Tell me about mountains");
    await composer(page).press("Enter");
    await page.locator("[data-giving-way]").first().waitFor({ state: "detached" });
    assert.match(await textOf(await answered(page, 1, "complete")), /mountains/);
    assert.equal(await composer(page).inputValue(), "a draft");
    await assertConversation(page, ["Tell me about mountains"]);
    assert.equal(await composer(page).inputValue(), "a draft");
  }, CHAT);
});

test("a message that is changed without a connection outlives the page, and takes the place of what was there", async () => {
  await suite.withWire(async (page, wire) => {
    await converse(page, "Tell me about rivers");
    await page.reload();
    await answered(page, 1, "complete");
    wire.down();
    await questions(page).first().hover();
    await button(page, "Edit message").click();
    await composer(page).fill("Tell me about lakes");
    await composer(page).press("Enter");
    await page.getByText("Waiting for the connection.").waitFor();
    await page.reload();
    await page.getByText("Waiting for the connection.").waitFor();
    wire.up();
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    assert.match(await textOf(await answered(page, 1, "complete")), /lakes/);
    await assertConversation(page, ["Tell me about lakes"]);
  }, CHAT);
});

test("an answer that is asked for again is made once, though the page is loaded anew before it hears of it", async () => {
  await suite.withWire(async (page, wire) => {
    await converse(page, "Tell me about rivers");
    wire.mute();
    await button(page, "Ask again").click();
    await page.reload();
    await connected(page);
    await answered(page, 1, "complete");
    await assertConversation(page, ["Tell me about rivers"]);
  }, CHAT);
});

test("drafts stay with their conversations, over a reload, and are gone once sent", async () => {
  await suite.withPage(async (page) => {
    await composer(page).fill("not sent yet");
    await page.reload();
    await connected(page);
    assert.equal(await composer(page).inputValue(), "not sent yet");
    await composer(page).press("Enter");
    await answered(page, 1, "complete");
    await composer(page).fill("of the first");
    await button(page, "New conversation").click();
    assert.equal(await composer(page).inputValue(), "");
    await page.reload();
    await connected(page);
    await page.locator(".oc-session").first().click();
    await answers(page).first().waitFor();
    assert.equal(await composer(page).inputValue(), "of the first");
  }, CHAT);
});

test("the arrows walk through what was said", async () => {
  await suite.withPage(async (page) => {
    await converse(page, "one", "two");
    for (const [key, text] of [["ArrowUp", "two"], ["ArrowUp", "one"], ["ArrowUp", "one"], ["ArrowDown", "two"], ["ArrowDown", ""]]) {
      await composer(page).press(key);
      assert.equal(await composer(page).inputValue(), text, key);
    }
  }, CHAT);
});

test("a conversation is a file of Markdown or JSON", async () => {
  await suite.withPage(async (page) => {
    await converse(page, "Tell me about rivers");
    const save = async (kind) => {
      await button(page, "Export conversation").click();
      const [file] = await Promise.all([page.waitForEvent("download"), button(page, kind).click()]);
      return [file.suggestedFilename(), await readFile(await file.path(), "utf8")];
    };
    const [name, markdown] = await save("As Markdown");
    assert.equal(name, "Tell-me-about-rivers.md");
    assert.match(markdown, /^# Tell me about rivers\n\n## You, [^\n]+\n\nTell me about rivers\n\n## Claude 3\.5 Sonnet[^\n]*\n\n/);
    const [, json] = await save("As JSON");
    const { messages } = JSON.parse(json);
    assert.deepEqual(messages.map(({ role }) => role), ["user", "assistant"]);
    assert.ok(markdown.includes(messages[1].content.trim()));
  }, CHAT);
});
