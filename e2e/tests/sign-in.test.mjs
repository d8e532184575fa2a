// Signing in, out and in again, at a proxy that asks for tokens.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { violations } from "../lib/axe.mjs";
import { answered, composer, connected, say, textOf } from "../lib/chat.mjs";
import { setUp } from "../lib/setup.mjs";

/** For these tests only. */
const SECRET = "a secret of the end-to-end tests, which keeps nothing from anybody";

const suite = setUp({ demo: true, env: { OUTCROP_JWT_SECRET: SECRET } });

/** A token as an adopter's server would sign it. */
function token({ user = "ann", roles = [], seconds = 3_600, secret = SECRET } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "outcrop", aud: "outcrop", sub: user, org: "acme", roles, iat: now, exp: now + seconds, jti: `${user}-${now}-${Math.random()}` };
  const body = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

async function signIn(page, value) {
  await page.getByLabel("Access token").fill(value);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Runs `body` with a page that is not signed in. */
const withDoor = (body, options) =>
  suite.withPage(body, { path: "/#/chat", ready: (page) => page.getByRole("heading", { name: "Sign in to Outcrop" }).waitFor(), ...options });

test("a token lets in, over a reload as well, until one signs out", () =>
  withDoor(async (page) => {
    assert.deepEqual(await violations(page), []);
    await signIn(page, token({ secret: `${SECRET}, or another one` }));
    await page.getByRole("alert").getByText(/token/i).waitFor();
    assert.deepEqual(await violations(page), []);
    await signIn(page, token());
    await connected(page);
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 1, "complete")), /2 \+ 2 = 4/);
    await page.reload();
    await answered(page, 1, "complete");
    assert.ok(!page.url().includes("eyJ"));

    await page.getByRole("button", { name: "Sign out ann of acme" }).click();
    await page.getByLabel("Access token").waitFor();
    assert.equal(await page.evaluate(() => Object.values(sessionStorage).filter((kept) => kept !== "" && kept !== "[]").length), 0, "nothing of a person stays");
    await page.reload();
    await signIn(page, token({ user: "bob" }));
    await connected(page);
    await composer(page).waitFor();
    assert.equal(await page.locator(".oc-answer").count(), 0, "nobody sees the conversation of the one before");
  }));

test("a token that expires leads back to the door, and the same person's next one to the same conversation", () =>
  withDoor(async (page) => {
    // Long enough to sign in with and to be answered once.
    await signIn(page, token({ seconds: 6 }));
    await connected(page);
    await say(page, "3+4");
    await answered(page, 1, "complete");
    await page.getByRole("alert").getByText(/expired/i).waitFor();
    await signIn(page, token());
    assert.match(await textOf(await answered(page, 1, "complete")), /3 \+ 4 = 7/);
  }));

test("a token that is revoked leads back to the door", () =>
  withDoor(async (page) => {
    await signIn(page, token({ user: "carol" }));
    await connected(page);
    const headers = { authorization: `Bearer ${token({ user: "root", roles: ["outcrop-operator"] })}`, "content-type": "application/json" };
    const response = await fetch(new URL("/admin/revocations", suite.proxy.url), { method: "POST", headers, body: JSON.stringify({ organization: "acme", user: "carol" }) });
    assert.ok(response.ok, `${response.status}`);
    await page.getByRole("alert").getByText(/revoked/i).waitFor();
  }));

test("an administrator sees what the organization used, and a user does not", () =>
  withDoor(async (page) => {
    await signIn(page, token({ user: "dora" }));
    await connected(page);
    await say(page, "2+2");
    await answered(page, 1, "complete");
    await page.getByRole("link", { name: "Usage", exact: true }).click();
    await page.getByRole("row", { name: /^Total/ }).waitFor();
    assert.equal(await page.getByRole("radio", { name: "My organization" }).count(), 0);

    await page.getByRole("button", { name: "Sign out dora of acme" }).click();
    await signIn(page, token({ user: "eve", roles: ["outcrop-administrator"] }));
    await page.getByText("Nothing was used in this time.").waitFor();
    await page.getByRole("radio", { name: "My organization" }).check();
    await page.getByRole("radio", { name: "User" }).check();
    await page.getByRole("rowheader", { name: "dora" }).waitFor();
    assert.equal(await page.getByRole("radio", { name: "Everybody" }).count(), 0);
    assert.deepEqual(await violations(page), []);
  }));
