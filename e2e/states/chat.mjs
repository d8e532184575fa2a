// The states of a conversation. A row says how to get there; lib/stage.mjs has what else it may say.

import { isLostConnection } from "../lib/browser.mjs";
import { answered, composer, say } from "../lib/chat.mjs";
import { CODE, LONG, MARKDOWN, SHORT, THOUGHTS } from "./answers.mjs";

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

const SPENT = "How much did we spend this week?";
const card = (page) => page.getByRole("group", { name: /^May Claude use/ });

/** Answers every question with this. */
const always = (text, more = {}) => [{ do: { text, ...more } }];
/** Falls silent in the middle of the answer. */
const silent = (text, afterTokens) => always(text, { fault: { kind: "silence", afterTokens } });

/** Asks; resolves with the answer once it has ended and the conversation is in the list. */
async function ask(page, question, phase = "complete") {
  await say(page, question);
  const answer = await answered(page, 1, phase);
  await page.locator(".oc-session").first().waitFor({ state: "attached" });
  return answer;
}

async function attach(page) {
  await page.locator('input[type="file"]').setInputFiles([
    { name: "bridge.png", mimeType: "image/png", buffer: PNG },
    { name: "levels-of-the-last-hundred-years.csv", mimeType: "text/csv", buffer: Buffer.from("year,metres\n1926,2.4\n") },
  ]);
  await page.getByRole("list", { name: "Files to send" }).getByText("bridge.png").waitFor();
  await page.getByRole("list", { name: "Files to send" }).getByText(/levels/).waitFor();
}

export const CHAT_STATES = [
  { name: "empty" },
  {
    name: "streaming",
    script: silent(LONG, 150),
    async reach(page) {
      await say(page, "Compare rivers and canals");
      await page.getByText("in cubic metres").waitFor();
    },
  },
  {
    name: "thinking",
    script: always(SHORT, { firstTokenMs: 60_000 }),
    async reach(page) {
      await say(page, "How much silt does it carry?");
      await page.getByText("Thinking…").waitFor();
    },
  },
  {
    name: "markdown",
    script: always(MARKDOWN),
    async reach(page) {
      const answer = await ask(page, "Compare rivers and canals in a table, with a small Rust program");
      await answer.locator('code [data-kind="kwd"]').first().waitFor();
    },
  },
  {
    name: "markdown-4k",
    sizes: { wide: { width: 3840, height: 2160, schemes: ["light"] } },
    script: always(MARKDOWN),
    async reach(page) {
      const answer = await ask(page, "Compare rivers and canals in a table, with a small Rust program");
      await answer.locator('code [data-kind="kwd"]').first().waitFor();
    },
  },
  {
    name: "reasoning-and-tools",
    script: [
      { when: { prompt: "spend", round: 0 }, do: { reasoning: THOUGHTS, text: "I look that up.", toolUses: [{ name: "usage_summary", input: { period: "this_week" } }] } },
      { when: { prompt: "spend", round: 1 }, do: { text: "This week it was **$0.0042**, all of it today." } },
    ],
    async reach(page) {
      const answer = await ask(page, SPENT);
      await answer.locator(".oc-reasoning summary").click();
      await answer.locator(".oc-tool summary").click();
      await answer.locator(".oc-tool pre").first().waitFor();
    },
  },
  {
    name: "asks-approval",
    args: ["--analytics-approval", "always"],
    script: [{ when: { prompt: "spend", round: 0 }, do: { text: "I look that up.", toolUses: [{ name: "usage_summary", input: { period: "this_week" } }] } }],
    async reach(page) {
      await say(page, SPENT);
      await card(page).waitFor();
    },
  },
  {
    name: "failed",
    script: always(LONG, { fault: { kind: "errorMid", error: "ModelStreamErrorException", afterTokens: 60 } }),
    async reach(page) {
      await ask(page, "Compare rivers and canals", "failed");
    },
  },
  {
    name: "failed-for-good",
    async reach(page) {
      await ask(page, "/overflow Compare rivers and canals", "failed");
    },
  },
  {
    name: "interrupted",
    script: silent(LONG, 150),
    expected: isLostConnection,
    async reach(page, { restart }) {
      await say(page, "Compare rivers and canals");
      await page.getByText("in cubic metres").waitFor();
      await restart();
      await page.evaluate(() => window.dispatchEvent(new Event("online")));
      await answered(page, 1, "failed");
    },
  },
  {
    name: "retrying",
    args: ["--retry-base", "60s"],
    async reach(page) {
      await say(page, "/throttle Tell me about rivers");
      await page.getByText(/Asking again in/).waitFor();
    },
  },
  {
    name: "reconnecting",
    wired: true,
    script: always(SHORT),
    expected: isLostConnection,
    async reach(page, { wire }) {
      await ask(page, "How much silt does it carry?");
      wire.down();
      await say(page, "And in autumn?");
      await page.getByText("Waiting for the connection.").waitFor();
      await page.locator('.oc-connection[data-state="reconnecting"]').first().waitFor();
      await page.locator(".oc-connection-wait").first().waitFor({ state: "attached" });
    },
  },
  {
    name: "offline",
    wired: true,
    script: always(SHORT),
    expected: isLostConnection,
    async reach(page, { wire }) {
      await ask(page, "How much silt does it carry?");
      wire.down();
      await page.locator('.oc-connection[data-state="reconnecting"]').first().waitFor();
      await page.context().setOffline(true);
      await page.locator('.oc-connection[data-state="offline"]').first().waitFor();
    },
  },
  {
    name: "stopped",
    script: silent(LONG, 150),
    args: ["--on-stop", "abort"],
    async reach(page) {
      await say(page, "Compare rivers and canals");
      await page.getByText("in cubic metres").waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await answered(page, 1, "stopped");
    },
  },
  {
    name: "budget-low",
    script: always(MARKDOWN),
    args: ["--budgets", "user/day=270tokens", "--max-tokens", "220", "--analytics", "off"],
    async reach(page) {
      await ask(page, "Compare rivers and canals");
      await page.locator('.oc-budget[data-level="low"]').waitFor();
    },
  },
  {
    name: "budget-used-up",
    script: always(MARKDOWN),
    args: ["--budgets", "user/day=700tokens", "--max-tokens", "300", "--analytics", "off"],
    async reach(page) {
      await ask(page, "Compare rivers and canals");
      await say(page, "Once more");
      await answered(page, 2, "failed");
    },
  },
  { name: "attachments", reach: attach },
  {
    name: "attachments-sent",
    script: always(SHORT),
    async reach(page) {
      await attach(page);
      await ask(page, "What is on the picture, and what in the file?");
    },
  },
  {
    name: "code-and-questions",
    script: [{ when: { call: 1 }, do: { text: CODE } }, { when: { call: 2 }, do: { text: SHORT } }],
    async reach(page) {
      const answer = await ask(page, "Write a function that tells a low level from a high one.\n\nWith a type, please.");
      await answer.locator('code [data-kind="kwd"]').first().waitFor();
      await say(page, "How much silt does it carry?");
      await answered(page, 2, "complete");
      await composer(page).fill("A draft of\nseveral lines");
    },
  },
  {
    name: "editing",
    script: always(SHORT),
    async reach(page) {
      await ask(page, "How much silt does it carry?");
      await page.locator(".oc-question").hover();
      await page.getByRole("button", { name: "Edit message" }).click();
      await composer(page).fill("How much sand does it carry?");
    },
  },
  {
    name: "asked-again-in-vain",
    script: always(MARKDOWN),
    args: ["--budgets", "user/day=270tokens", "--max-tokens", "220", "--analytics", "off"],
    async reach(page) {
      await ask(page, "Compare rivers and canals");
      await page.getByRole("button", { name: "Ask again" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  {
    name: "export",
    script: always(SHORT),
    async reach(page) {
      await ask(page, "How much silt does it carry?");
      await page.getByRole("button", { name: "Export conversation" }).click();
    },
  },
];
