// A person finds a conversation, and says how they want to be answered.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, answers, composer, connected, lastAnswer, say, textOf } from "../lib/chat.mjs";
import { startEmulator } from "../lib/emulator.mjs";
import { misplaced } from "../lib/layout.mjs";
import { setUp } from "../lib/setup.mjs";

const emulator = await startEmulator({ tokensPerSecond: 0 });
after(() => emulator.stop());

const HAIKU = "anthropic.claude-3-haiku-20240307-v1:0";
const suite = setUp({ env: emulator.env, args: ["--models", HAIKU, "--analytics-approval", "always"] });
const CHAT = { path: "/#/chat" };
const OVERVIEW = { path: "/#/" };

const list = (page) => page.getByRole("navigation", { name: "Conversations" });
const row = (page, title) => list(page).getByRole("listitem").filter({ hasText: title });
const titles = (page) => list(page).locator(".oc-session-title").allInnerTexts();
const search = (page) => page.getByRole("searchbox", { name: "Search conversations" });
const settings = (page) => page.getByRole("dialog", { name: "Settings" });
const gear = (page) => page.getByRole("button", { name: "Settings", exact: true });
const instructions = (page) => settings(page).getByRole("textbox", { name: "Your instructions" });
const streaming = (page) => settings(page).getByRole("checkbox", { name: "Show answers while they are written" });
const theme = (page, name) => settings(page).getByRole("radio", { name, exact: true });
const colours = (page) => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);

async function openSettings(page) {
  await gear(page).click();
  await settings(page).waitFor();
}

async function closeSettings(page) {
  await page.keyboard.press("Escape");
  await settings(page).waitFor({ state: "detached" });
}

/** Sends the messages, each in a conversation of its own. */
async function begin(page, messages) {
  for (const message of messages) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, message);
    await answered(page, 1, "complete");
    await row(page, message).waitFor();
  }
}

test("conversations stand by date, and are found whatever their capitals and accents, with the keyboard alone", () =>
  suite.withPage(async (page) => {
    await begin(page, ["Über Flüsse", "Explain glaciers"]);
    assert.equal(await list(page).getByRole("heading", { level: 3 }).first().innerText(), "Today");
    await search(page).focus();
    await page.keyboard.type("FLUSSE");
    await row(page, "Explain glaciers").waitFor({ state: "detached" });
    assert.deepEqual(await titles(page), ["Über Flüsse"]);
    await list(page).getByRole("status").getByText("1 conversation found.").waitFor({ state: "attached" });
    await page.keyboard.press("Escape");
    await row(page, "Explain glaciers").waitFor();
    await page.keyboard.type("no such thing");
    await page.getByText("No conversation is called “no such thing”.").first().waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.keyboard.type("flusse");
    await row(page, "Explain glaciers").waitFor({ state: "detached" });
    for (const key of ["Tab", "Tab", "Enter"]) await page.keyboard.press(key);
    await page.locator(".oc-question-text", { hasText: "Über Flüsse" }).waitFor();
  }, CHAT));

test("a day later they stand under another heading, and are renamed there", () =>
  suite.withPage(
    async (page) => {
      await begin(page, ["Explain deserts"]);
      await page.context().addInitScript(() => {
        const { now } = Date;
        Date.now = () => now() + 24 * 60 * 60_000;
      });
      await page.reload();
      await row(page, "Explain deserts").waitFor();
      assert.equal(await list(page).getByRole("heading", { level: 3 }).first().innerText(), "Yesterday");
      await row(page, "Explain deserts").getByRole("button", { name: "Explain deserts" }).first().focus();
      for (const key of ["Tab", "Enter"]) await page.keyboard.press(key);
      await page.getByRole("textbox", { name: "Title" }).waitFor();
      await page.keyboard.type("Sand");
      await page.keyboard.press("Enter");
      await row(page, "Sand").waitFor();
      await page.waitForFunction(() => document.activeElement?.textContent.startsWith("Sand"));
    },
    CHAT,
  ));

test("settings are kept over a reload", () =>
  suite.withPage(async (page) => {
    await openSettings(page);
    await settings(page).getByRole("radio", { name: /Claude 3 Haiku/ }).check();
    await instructions(page).fill("Answer in metric units.");
    await streaming(page).uncheck();
    await theme(page, "Dark").check();
    await page.reload();
    await connected(page);
    assert.equal(await page.getByRole("combobox", { name: "Model" }).inputValue(), HAIKU);
    assert.equal(await colours(page), "dark");
    await openSettings(page);
    assert.ok(await settings(page).getByRole("radio", { name: /Claude 3 Haiku/ }).isChecked());
    assert.equal(await instructions(page).inputValue(), "Answer in metric units.");
    assert.ok(!(await streaming(page).isChecked()));
    assert.ok(await theme(page, "Dark").isChecked());
    await closeSettings(page);
    await emulator.forget();
    await say(page, "2+2");
    await answered(page, 1, "complete");
    assert.equal((await emulator.calls())[0].modelId, HAIKU);
  }, CHAT));

test("the model is told a person's instructions with every message, and those that are too long are refused before", () =>
  suite.withPage(async (page) => {
    await emulator.forget();
    const told = async (count) => (await emulator.waitFor(count, { ended: true })).at(-1).request.system.map(({ text }) => text);
    await openSettings(page);
    await instructions(page).fill("Answer in metric units.");
    await instructions(page).fill("x".repeat(8_001));
    await settings(page).getByText("1 character too long: at most 8,000 can be used.").waitFor();
    assert.deepEqual(await violations(page), []);
    await closeSettings(page);
    await say(page, "2+2");
    await answered(page, 1, "complete");
    assert.ok((await told(1)).includes("Answer in metric units."), JSON.stringify(await told(1)));
    await openSettings(page);
    await instructions(page).fill("Answer in verse.");
    await closeSettings(page);
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, "3+3");
    await answered(page, 1, "complete");
    const last = await told(2);
    assert.ok(last.includes("Answer in verse.") && !last.includes("Answer in metric units."), JSON.stringify(last));
  }, CHAT));

test("without streaming an answer comes in one piece, with all that a streamed one has", () =>
  suite.withPage(async (page) => {
    await openSettings(page);
    await streaming(page).uncheck();
    await closeSettings(page);
    await emulator.forget();
    await page.evaluate(() => {
      window.phases = [];
      new MutationObserver(() => {
        const answer = document.querySelector(".oc-answer");
        const phase = answer && `${answer.dataset.phase}:${answer.querySelector(".oc-markdown") === null ? "" : "text"}`;
        if (phase && window.phases.at(-1) !== phase) window.phases.push(phase);
      }).observe(document.body, { childList: true, subtree: true, attributes: true });
    });
    await say(page, "/think 2+2");
    const answer = await answered(page, 1, "complete");
    assert.match(await textOf(answer), /2 \+ 2 = 4/);
    assert.deepEqual(await page.evaluate(() => window.phases), ["sent:", "complete:text"]);
    assert.match(await answer.locator(".oc-usage").innerText(), /out.*\$0\.\d+/s);
    assert.match(await answer.locator(".oc-reasoning summary").innerText(), /Reasoning/);
    assert.equal((await emulator.calls())[0].operation, "Converse");
    const figures = await answer.locator(".oc-usage").innerText();
    await page.reload();
    await connected(page);
    await (await answered(page, 1, "complete")).locator(".oc-cost").waitFor();
    assert.equal(await answers(page).first().locator(".oc-usage").innerText(), figures);
  }, CHAT));

test("a whole answer that is stopped says what it used", () =>
  suite.withPage(async (page) => {
    await openSettings(page);
    await streaming(page).uncheck();
    await closeSettings(page);
    await emulator.forget();
    await say(page, "/pace 20 /length 40 Explain tides");
    await emulator.waitFor(1);
    await page.getByRole("button", { name: "Stop" }).click();
    const stopped = await answered(page, 1, "stopped");
    await stopped.locator(".oc-cost").waitFor();
    assert.match(await stopped.innerText(), /Stopped/);
    await say(page, "What is a tide?");
    assert.match(await textOf(await answered(page, 2, "complete")), /\w/);
  }, CHAT));

test("a whole answer that the page was loaded anew under is made once, and comes whole", () =>
  suite.withPage(async (page) => {
    await openSettings(page);
    await streaming(page).uncheck();
    await closeSettings(page);
    await emulator.forget();
    await say(page, "/pace 20 /length 60 Explain tides");
    await emulator.waitFor(1);
    await page.reload();
    assert.match(await textOf(await answered(page, 1, "complete")), /Tides/);
    await lastAnswer(page).locator(".oc-cost").waitFor();
    assert.equal(await answers(page).count(), 1);
    assert.equal((await emulator.calls()).length, 1);
  }, CHAT));

test("without streaming a tool that needs approval is not called, and the answer says so", () =>
  suite.withPage(async (page) => {
    await openSettings(page);
    await streaming(page).uncheck();
    await closeSettings(page);
    await say(page, "How much did we spend this week?");
    await answered(page, 1, "complete");
    await lastAnswer(page).locator('.oc-tool[data-status="denied"]').waitFor();
  }, CHAT));

test("the theme is chosen in the settings of every page, and Esc closes them and nothing else", () =>
  suite.withPage(async (page) => {
    assert.equal(await colours(page), "light dark");
    await openSettings(page);
    await theme(page, "Dark").check();
    assert.equal(await colours(page), "dark");
    await closeSettings(page);
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Settings");
    await page.getByRole("button", { name: /Ask Claude/ }).click();
    const chat = page.getByRole("dialog", { name: "Claude" });
    await chat.getByRole("button", { name: "Settings" }).click();
    assert.ok(await theme(page, "Dark").isChecked());
    await theme(page, "Light").check();
    assert.equal(await colours(page), "light");
    await page.keyboard.press("Control+k");
    await closeSettings(page);
    assert.ok(await chat.isVisible());
    await page.reload();
    await connected(page);
    assert.equal(await colours(page), "light");
    await composer(page).waitFor();
    assert.equal(await answers(page).count(), 0);
  }, OVERVIEW));

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 320]) {
    test(`nothing is wrong with the settings for axe, nothing sticks out, and Tab stays in them: ${colorScheme}, ${width} wide`, () =>
      suite.withPage(
        async (page) => {
          await openSettings(page);
          assert.deepEqual(await violations(page), []);
          for (const dir of ["ltr", "rtl"]) {
            await page.evaluate((value) => (document.documentElement.dir = value), dir);
            assert.deepEqual(await misplaced(page), [], dir);
          }
          for (let press = 0; press < 12; press += 1) {
            await page.keyboard.press("Tab");
            assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null), "the focus has left");
          }
        },
        { ...CHAT, colorScheme, width, reducedMotion: "reduce" },
      ));
  }
}
