// Claude uses tools, and a person follows, allows and denies; files go with a message.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, answers, composer, connected, lastAnswer, say, textOf } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

const suite = setUp({ args: ["--analytics-approval", "always"] });
const CHAT = { path: "/#/chat" };

const QUESTION = "How much did we spend this week?";
/** Asks for the same tool at a pace at which one can do something meanwhile. */
const SLOWLY = `/pace 40 ${QUESTION}`;

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

const card = (page) => page.getByRole("group", { name: /^May Claude use/ });
const tool = (page) => lastAnswer(page).locator(".oc-tool");
const allow = (page) => card(page).getByRole("button", { name: "Allow" });
const deny = (page) => card(page).getByRole("button", { name: "Deny" });
const ended = (page, status) => tool(page).and(page.locator(`[data-status="${status}"]`)).waitFor();

/** Asks, and waits until Claude wants to use the tool. */
async function asking(page, question = QUESTION) {
  await say(page, question);
  await card(page).waitFor();
}

test("a person asks for this week's cost, reads what the tool is given, allows it and gets the figures", () =>
  suite.withPage(
    async (page) => {
      await say(page, "2+2");
      const before = await answered(page, 1, "complete");
      const cost = Number(await before.locator(".oc-cost").getAttribute("value"));
      await asking(page);
      assert.match(await card(page).innerText(), /outcrop-analytics/);
      assert.match(await card(page).locator("pre").innerText(), /this_week/);
      assert.deepEqual(await violations(page), []);
      await allow(page).click();
      const answer = await answered(page, 2, "complete");
      await ended(page, "succeeded");
      assert.match(await answer.locator(".oc-markdown").last().innerText(), /\$0\.\d+/);
      assert.equal(await card(page).count(), 0);
      // The line opens, and shows the exact cost.
      await tool(page).locator("summary").click();
      assert.ok((await tool(page).innerText()).includes(`"cost_usd": "${cost}"`), await tool(page).innerText());
      assert.deepEqual(await violations(page), []);
    },
    CHAT,
  ));

test("the question whether a tool may be used is still there after a reload, in a second tab too, and either answers it", () =>
  suite.withPage(
    async (page) => {
      await asking(page);
      await page.reload();
      await connected(page);
      await card(page).waitFor();
      const other = await page.context().newPage();
      await other.goto(page.url());
      await connected(other);
      await other.getByRole("navigation", { name: "Conversations" }).getByText(QUESTION).first().click();
      await card(other).waitFor();
      await allow(other).click();
      await answered(page, 1, "complete");
      await ended(page, "succeeded");
      await answered(other, 1, "complete");
      await other.close();
      await page.reload();
      await connected(page);
      await ended(page, "succeeded");
    },
    CHAT,
  ));

test("what is denied is not called, and Claude goes on without it", () =>
  suite.withPage(
    async (page) => {
      await asking(page);
      await deny(page).click();
      const answer = await answered(page, 1, "complete");
      await ended(page, "denied");
      assert.match(await answer.innerText(), /The tool was not run|The tool failed/);
    },
    CHAT,
  ));

test("an answer is stopped while a tool waits, and while the model writes; the conversation goes on", () =>
  suite.withPage(
    async (page) => {
      await asking(page);
      await page.getByRole("button", { name: "Stop" }).click();
      await answered(page, 1, "stopped");
      await ended(page, "denied");
      assert.equal(await card(page).count(), 0);
      await asking(page, SLOWLY);
      await allow(page).click();
      // The figures come word by word.
      await page.waitForFunction(() => [...document.querySelectorAll(".oc-answer")].at(-1)?.querySelectorAll(".oc-markdown").length > 1);
      await page.getByRole("button", { name: "Stop" }).click();
      await answered(page, 2, "stopped");
      await say(page, "2+2");
      assert.match(await textOf(await answered(page, 3, "complete")), /4/);
    },
    CHAT,
  ));

test("it is done with the keyboard alone", () =>
  suite.withPage(
    async (page) => {
      await asking(page);
      await page.waitForFunction(() => document.activeElement?.classList.contains("oc-approval"));
      await page.keyboard.press("Tab");
      while (!(await allow(page).evaluate((button) => button === document.activeElement))) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await answered(page, 1, "complete");
      await page.waitForFunction(() => document.activeElement?.matches("textarea"));
    },
    CHAT,
  ));

test("files are picked, dropped and pasted, shown, sent and read, and known after a reload", () =>
  suite.withPage(
    async (page) => {
      await page.locator('input[type="file"]').setInputFiles([{ name: "dot.png", mimeType: "image/png", buffer: PNG }]);
      const files = page.getByRole("list", { name: "Files to send" });
      await files.getByText("dot.png").waitFor();
      const dropped = await page.evaluateHandle(() => {
        const data = new DataTransfer();
        data.items.add(new File(["The river is high today."], "notes.md", { type: "text/markdown" }));
        data.items.add(new File(["x"], "bad.exe", { type: "application/x-msdownload" }));
        return data;
      });
      await page.locator(".oc-drop").dispatchEvent("dragenter", { dataTransfer: dropped });
      await page.getByText("Drop files to attach them").waitFor();
      await page.locator(".oc-drop").dispatchEvent("drop", { dataTransfer: dropped });
      await files.getByText("notes.md").waitFor();
      await page.getByText(/bad\.exe/).waitFor();
      await composer(page).evaluate((box) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File(["a,b"], "table.csv", { type: "text/csv" }));
        // Firefox empties the data of a ClipboardEvent that is not its own.
        box.dispatchEvent(Object.assign(new Event("paste", { bubbles: true, cancelable: true }), { clipboardData }));
      });
      await files.getByText("table.csv").waitFor();
      await files.getByRole("button", { name: "Remove table.csv" }).click();
      await files.getByText("table.csv").waitFor({ state: "detached" });
      await say(page, "What is this?");
      const answer = await answered(page, 1, "complete");
      assert.match(await answer.innerText(), /PNG/);
      assert.match(await answer.innerText(), /river/);
      await page.reload();
      await connected(page);
      await answered(page, 1, "complete");
      const question = page.locator(".oc-question").last();
      assert.match(await question.innerText(), /dot\.png[\s\S]*notes\.md/);
      assert.equal(await answers(page).count(), 1);
    },
    CHAT,
  ));
