import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, answers, composer, say } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp();
const CHAT = { path: "/#/chat" };

const gauge = (page) => page.locator(".oc-gauge");
const table = (page) => page.getByRole("table");
const totalRow = (page) => table(page).getByRole("row", { name: /^Total/ });

/** Dollars that the page says exactly, as nano-dollars: sums of decimal fractions are none. */
const nanoUsd = async (locator) => Math.round(Number(await locator.getAttribute("value")) * 1e9);

/** Sends questions, each when the answer before it has ended; resolves with what the answers said they cost. */
async function ask(page, questions) {
  const before = await answers(page).count();
  let cost = 0;
  for (const [index, question] of questions.entries()) {
    await say(page, question);
    cost += await nanoUsd((await answered(page, before + index + 1, "complete")).locator(".oc-cost"));
  }
  return cost;
}

async function openUsage(page) {
  await page.getByRole("link", { name: "Usage", exact: true }).click();
  await totalRow(page).waitFor();
}

/** The usage page, with something on it. */
async function withUsage(page) {
  await ask(page, ["2+2"]);
  await openUsage(page);
}

const choose = (page, name) => page.getByRole("radio", { name, exact: true }).check();

/** Waits until the page's total is this. */
async function totalIs(page, nano) {
  const value = String(nano / 1e9);
  await page.waitForFunction((wanted) => Number(document.querySelector(".oc-usage-table tfoot data")?.value) === Number(wanted), value);
}

test("the gauge shows tokens and cost, as an estimate while an answer is written and exactly at its end", () =>
  suite.withPage(
    async (page) => {
      await say(page, "/pace 50 /length 200 Explain rivers");
      await gauge(page).getByText("This answer").waitFor();
      assert.match(await gauge(page).innerText(), /≈ \d+ tokens/);
      const answer = await answered(page, 1, "complete");
      await gauge(page).getByText("Last answer").waitFor();
      assert.doesNotMatch(await gauge(page).innerText(), /≈/);
      const said = await nanoUsd(answer.locator(".oc-cost"));
      assert.ok(said > 0);
      assert.deepEqual([await nanoUsd(gauge(page).locator("data").first()), await nanoUsd(gauge(page).locator("data").nth(1))], [said, said]);
      const second = await ask(page, ["2+2"]);
      assert.equal(await nanoUsd(gauge(page).locator("data").nth(1)), said + second);

      await page.reload();
      await answered(page, 2, "complete");
      assert.equal(await nanoUsd(gauge(page).locator("data").nth(1)), said + second, "after a reload too");
    },
    CHAT,
  ));

test("the usage page's total is the sum of what the answers said, by whatever it is told, and its rows are the total", () =>
  suite.withPage(
    async (page) => {
      await withUsage(page);
      const before = await nanoUsd(totalRow(page).locator("data"));
      await page.getByRole("link", { name: "Chat", exact: true }).click();
      await composer(page).waitFor();
      await page.getByRole("button", { name: "New conversation" }).click();
      const cost = await ask(page, ["Explain glaciers", "2+2", "Write a small Rust program"]);
      await openUsage(page);
      await totalIs(page, before + cost);
      for (const name of ["Model", "Conversation", "User", "Day"]) {
        await choose(page, name);
        await table(page).getByRole("columnheader", { name }).waitFor();
        await totalIs(page, before + cost);
        const rows = await table(page).locator("tbody data").evaluateAll((cells) => cells.map((cell) => Math.round(Number(cell.value) * 1e9)));
        assert.equal(rows.reduce((sum, value) => sum + value, 0), before + cost, name);
      }

      await choose(page, "Conversation");
      await table(page).getByRole("link", { name: "Explain glaciers" }).click();
      await page.locator(".oc-question-text", { hasText: "Explain glaciers" }).waitFor();
      await answered(page, 3, "complete");
    },
    CHAT,
  ));

test("what the table shows can be taken along, and an answer given beside it is counted at once", () =>
  suite.withPage(
    async (page) => {
      await withUsage(page);
      const before = await nanoUsd(totalRow(page).locator("data"));
      await page.keyboard.press("Control+k");
      await composer(page).waitFor();
      const cost = await ask(page, ["Explain deserts"]);
      await page.keyboard.press("Escape");
      await totalIs(page, before + cost);
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
      const lines = readFileSync(await file.path(), "utf8").trimEnd().split("\r\n");
      assert.match(file.suggestedFilename(), /^outcrop-usage-model-\d{4}-\d\d-\d\d\.csv$/);
      assert.equal(Math.round(Number(lines.at(-1).split(",").at(-1)) * 1e9), before + cost);
    },
    CHAT,
  ));

test("the usage page is used with the keyboard alone", () =>
  suite.withPage(
    async (page) => {
      await withUsage(page);
      await page.getByRole("radio", { name: "7 days" }).focus();
      await page.keyboard.press("ArrowLeft");
      assert.ok(await page.getByRole("radio", { name: "Today" }).isChecked());
      const chart = page.getByRole("group", { name: /^Cost an hour/ });
      await chart.focus();
      await page.keyboard.press("End");
      await page.locator(".oc-usage-words", { hasText: /^\d\d:00: \$.*answer/ }).first().waitFor();
      const tokens = table(page).getByRole("columnheader", { name: /^Tokens/ });
      await tokens.getByRole("button").focus();
      await page.keyboard.press("Enter");
      assert.equal(await tokens.getAttribute("aria-sort"), "descending");
    },
    CHAT,
  ));

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 320]) {
    test(`axe finds nothing on the usage page: ${colorScheme}, ${width} wide`, () =>
      suite.withPage(
        async (page) => {
          await withUsage(page);
          assert.deepEqual(await violations(page), [], "by model");
          await choose(page, "Conversation");
          await table(page).getByRole("link").first().waitFor();
          assert.deepEqual(await violations(page), [], "by conversation");
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, "the page scrolls sideways");
        },
        { ...CHAT, colorScheme, width, reducedMotion: "reduce" },
      ));
  }
}
