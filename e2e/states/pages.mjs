// The states of what is around a conversation: the list, the launcher, the other pages and the door.

import { createHmac } from "node:crypto";
import { answered, composer, connected, say } from "../lib/chat.mjs";
import { NOON } from "../lib/faketime.mjs";
import { seed } from "../lib/seed.mjs";
import { MARKDOWN, SHORT } from "./answers.mjs";

const OVERVIEW = "/#/";
const always = (text, more = {}) => [{ do: { text, ...more } }];

const list = (page) => page.getByRole("navigation", { name: "Conversations" });
const row = (page, title) => list(page).getByRole("listitem").filter({ hasText: title });
const launcher = (page) => page.getByRole("button", { name: /Ask Claude/ });

/** What was asked in the days before: `[days ago, session, question]`. */
const BEFORE = [
  [40, "a", "Explain glaciers"],
  [6, "b", "Write a letter to the harbour master about the new opening hours of the lock, and be polite about it"],
  [3, "c", "اشرح الأنهار"],
  [3, "c", "Explain deltas"],
  [1, "d", "What is 12 * 12?"],
  [1, "e", "Compare rivers and canals in a table, with a small Rust program"],
  [0, "f", "Explain tides"],
];

const withHistory = { before: (folder) => seed(folder, BEFORE) };

/** On a narrow screen the list is behind a button. */
async function openList(page) {
  const toggle = page.getByRole("button", { name: "Conversations" });
  if (await toggle.isVisible()) await toggle.click();
  await row(page, "tides").waitFor();
}

/** Opens the chat that floats over the page and has a question answered there. */
async function openFloating(page) {
  await launcher(page).click();
  await say(page, "Compare rivers and canals");
  await answered(page, 1, "complete");
}

const SECRET = "a secret of the end-to-end tests, which keeps nothing from anybody";

function token() {
  const now = NOON / 1000;
  const claims = { iss: "outcrop", aud: "outcrop", sub: "ann", org: "acme", roles: ["outcrop-operator"], iat: now, exp: now + 3_600, jti: "one" };
  const body = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${body}.${createHmac("sha256", SECRET).update(body).digest("base64url")}`;
}

async function signIn(page, value) {
  await page.getByLabel("Access token").fill(value);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const DOOR = { env: { OUTCROP_JWT_SECRET: SECRET }, ready: (page) => page.getByRole("heading", { name: "Sign in to Outcrop" }).waitFor() };

export const PAGE_STATES = [
  {
    name: "sessions",
    ...withHistory,
    async reach(page) {
      await openList(page);
      await row(page, "harbour").hover();
    },
  },
  {
    name: "session-renamed",
    ...withHistory,
    async reach(page) {
      await openList(page);
      await row(page, "glaciers").hover();
      await row(page, "glaciers").getByRole("button", { name: /^Rename/ }).click();
      await page.getByRole("textbox", { name: "Title" }).waitFor();
    },
  },
  {
    name: "session-deleted",
    ...withHistory,
    async reach(page) {
      await openList(page);
      await row(page, "harbour").hover();
      await row(page, "harbour").getByRole("button", { name: /^Delete/ }).click();
      await page.getByRole("button", { name: "Keep" }).waitFor();
    },
  },
  {
    name: "sessions-searched",
    ...withHistory,
    async reach(page) {
      await openList(page);
      await page.getByRole("searchbox").fill("no such thing");
      await list(page).getByText("No conversation is called").first().waitFor();
    },
  },
  {
    name: "settings",
    args: ["--models", "anthropic.claude-3-haiku-20240307-v1:0"],
    async reach(page) {
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("textbox", { name: "Your instructions" }).fill("Answer briefly, in metric units.");
    },
  },
  { name: "demo", demo: true },
  { name: "overview-empty", path: OVERVIEW },
  {
    name: "floating",
    path: OVERVIEW,
    script: always(MARKDOWN),
    async reach(page) {
      await openFloating(page);
    },
  },
  {
    name: "pinned",
    path: OVERVIEW,
    script: always(MARKDOWN),
    // On a narrow screen there is no room to pin it.
    sizes: { wide: { width: 1280, height: 800, schemes: ["light", "dark"] } },
    async reach(page) {
      await openFloating(page);
      await page.getByRole("button", { name: "Pin to the side" }).click();
      await page.locator('[data-placement="pinned"] > .oc-window').waitFor();
    },
  },
  {
    name: "minimised-unread",
    path: OVERVIEW,
    script: [{ when: { call: 1 }, do: { text: SHORT } }, { when: { call: 2 }, do: { text: SHORT, firstTokenMs: 500 } }],
    async reach(page) {
      await openFloating(page);
      await say(page, "And in autumn?");
      await page.getByRole("button", { name: "Minimise" }).click();
      await page.locator(".oc-unread").waitFor();
      await page.mouse.move(0, 0);
    },
  },
  {
    name: "usage",
    ...withHistory,
    async reach(page) {
      await page.getByRole("link", { name: "Usage", exact: true }).click();
      await page.getByRole("row", { name: /^Total/ }).waitFor();
      await page.mouse.move(0, 0);
    },
  },
  {
    name: "usage-by-conversation",
    ...withHistory,
    args: ["--budgets", "user/day=5000tokens,user/month=1usd"],
    async reach(page) {
      await page.getByRole("link", { name: "Usage", exact: true }).click();
      await page.getByRole("radio", { name: "Conversation", exact: true }).check();
      await page.getByRole("table").getByRole("link").first().waitFor();
      await page.getByRole("table").scrollIntoViewIfNeeded();
    },
  },
  {
    name: "usage-empty",
    path: "/#/usage",
    ready: (page) => page.getByText("Nothing was used in this time.").waitFor(),
  },
  { name: "sign-in", ...DOOR },
  {
    name: "sign-in-refused",
    ...DOOR,
    async reach(page) {
      await signIn(page, "no token at all");
      await page.getByRole("alert").getByText(/./).waitFor();
    },
  },
  {
    name: "signed-in",
    ...DOOR,
    async reach(page) {
      await signIn(page, token());
      await connected(page);
      await composer(page).waitFor();
      await page.mouse.move(0, 0);
    },
  },
];
