import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, answers, composer, say, textOf } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat" };

const row = (page, title) => page.getByRole("navigation", { name: "Conversations" }).getByRole("listitem").filter({ hasText: title });

test("conversations keep their messages when one switches between them, and after a reload", () =>
  suite.withPage(async (page) => {
    await say(page, "Explain glaciers");
    await answered(page, 1, "complete");
    await row(page, "Explain glaciers").waitFor();
    await page.getByRole("button", { name: "New conversation" }).click();
    assert.equal(await answers(page).count(), 0);
    await say(page, "Explain deserts");
    await answered(page, 1, "complete");
    await row(page, "Explain glaciers").getByRole("button").first().click();
    await page.getByText("Explain glaciers", { exact: true }).and(page.locator(".oc-question-text")).waitFor();
    assert.match(await textOf(answers(page).first()), /Glaciers/);

    await page.reload();
    await page.locator(".oc-question-text", { hasText: "Explain glaciers" }).waitFor();
    const stored = await answered(page, 1, "complete");
    assert.match(await stored.locator(".oc-usage").innerText(), /\$/);
    // The proxy has the conversation too, not the page alone.
    await say(page, "What did I ask before?");
    assert.match(await textOf(await answered(page, 2, "complete")), /Explain glaciers/);
  }, CHAT));

test("a conversation is renamed and deleted, the latter after a question", () =>
  suite.withPage(async (page) => {
    await say(page, "Explain volcanoes");
    await answered(page, 1, "complete");
    const mine = row(page, "Explain volcanoes");
    await mine.hover();
    await mine.getByRole("button", { name: /^Rename/ }).click();
    await page.getByRole("textbox", { name: "Title" }).fill("Fire");
    await page.keyboard.press("Enter");
    await row(page, "Fire").waitFor();
    await row(page, "Fire").hover();
    await row(page, "Fire").getByRole("button", { name: /^Delete/ }).click();
    await row(page, "Delete it?").getByRole("button", { name: "Delete", exact: true }).click();
    await row(page, "Delete it?").waitFor({ state: "detached" });
    await page.reload();
    await composer(page).waitFor();
    await row(page, "Explain").first().waitFor();
    assert.equal(await row(page, "Fire").count(), 0);
    assert.equal(await row(page, "volcanoes").count(), 0);
  }, CHAT));

test("an answer goes on while another conversation is open", () =>
  suite.withPage(async (page) => {
    await say(page, "/pace 100 /length 200 Explain tides");
    await answers(page).first().waitFor();
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, "2+2");
    await answered(page, 1, "complete");
    await row(page, "Explain tides").getByRole("button").first().click();
    const answer = await answered(page, 1, "complete");
    assert.match(await answer.locator(".oc-usage").innerText(), /200 out/);
  }, CHAT));
