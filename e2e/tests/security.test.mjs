// What a page may do, what an answer may do to it, and who may talk to the proxy at all.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { after, test } from "node:test";
import { inChromium, launch } from "../lib/browser.mjs";
import { answered, composer, grown, lastAnswer, say, textOf } from "../lib/chat.mjs";
import { startEmulator } from "../lib/emulator.mjs";
import { setUp } from "../lib/setup.mjs";

const emulator = await startEmulator({ tokensPerSecond: 0 });
const suite = setUp({ env: emulator.env, args: ["--guardrail-id", "a1b2c3", "--guardrail-version", "1"] });
after(() => emulator.stop());

const CHAT = { path: "/#/chat" };

/** Markdown and HTML that would run or load something in a page that lets it. */
const NASTY = [
  "<script>window.ran = 'script'</script>",
  "<img src=x onerror=\"window.ran = 'image'\">",
  "<svg onload=\"window.ran = 'svg'\"><a xlink:href=\"javascript:window.ran='xlink'\"><text y=20>svg</text></a></svg>",
  "<iframe srcdoc=\"<script>parent.ran = 'frame'</script>\"></iframe>",
  "<style>body { background: url(https://elsewhere.example/style) }</style>",
  "<form action=\"https://elsewhere.example/form\"><button autofocus onfocus=\"window.ran = 'focus'\">send</button></form>",
  "<base href=\"https://elsewhere.example/\"><meta http-equiv=\"refresh\" content=\"0;url=https://elsewhere.example/\">",
  "<object data=\"https://elsewhere.example/object\"></object><embed src=\"https://elsewhere.example/embed\">",
  "![remote](https://elsewhere.example/pixel.png?what-was-said)",
  "![data](data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0iYWxlcnQoMSkiLz4=)",
  "[![both](https://elsewhere.example/in-a-link.png)](javascript:window.ran='image-link')",
  "[script](javascript:window.ran='link') [tab](java\tscript:window.ran='tab') [entity](&#106;avascript:window.ran='entity')",
  "[upper](JaVaScRiPt:window.ran='upper') [vb](vbscript:msgbox) [file](file:///etc/passwd) [relative](/admin/usage) [//](//elsewhere.example)",
  "[data](data:text/html,<script>opener.ran='data'</script>) [blob](blob:https://elsewhere.example/1)",
  "[title](https://example.com \"\\\" onmouseover=window.ran='title' x=\\\"\")",
  "<javascript:window.ran='autolink'> <https://example.com/autolink>",
  "[reference]\n\n[reference]: javascript:window.ran='reference'",
  "```html onload=window.ran='fence'\n<script>window.ran = 'code'</script>\n```",
  "| <img src=x onerror=window.ran='cell'> | [a](javascript:window.ran='cell-link') |\n|---|---|\n| <script>window.ran='row'</script> | ![x](https://elsewhere.example/cell.png) |",
  "# <img src=x onerror=window.ran='heading'>",
].join("\n\n");

/** What a page must not have got from an answer, and that its links lead where they may. */
async function assertHarmless(page) {
  const answer = lastAnswer(page);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await answer.locator("img, script, iframe, style, form, base, meta, object, embed, svg:not(.oc-icon), [srcdoc]").count(), 0);
  const attributes = await answer.evaluate((root) => [...root.querySelectorAll("*")].flatMap((element) => element.getAttributeNames()).filter((name) => /^on|^xlink/.test(name)));
  assert.deepEqual(attributes, []);
  for (const link of await answer.locator("a").all()) {
    assert.match(await link.getAttribute("href"), /^(https?:|mailto:)/);
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  }
}

test("an answer full of markup runs nothing and loads nothing: while it is written, when it is whole, and out of the history", () =>
  suite.withPage(async (page) => {
    await emulator.script([{ do: { text: NASTY, tokensPerSecond: 400 } }]);
    await say(page, `What is <img src=x onerror="window.ran = 'question'">?`);
    await grown(page, 200);
    await assertHarmless(page);
    const answer = await answered(page, 1, "complete");
    await assertHarmless(page);
    const shown = await textOf(answer);
    for (const text of ["<script>window.ran = 'script'</script>", "<iframe srcdoc=", "<base href="]) assert.ok(shown.includes(text), `${text} is not shown as text`);
    for (const link of await answer.locator("a").all()) await link.hover();
    await page.reload();
    await answered(page, 1, "complete");
    await assertHarmless(page);
    assert.equal(await page.locator("img").count(), 0, "in the list of conversations");
  }, CHAT));

test("what is used every day breaks no rule of the page's policy", () =>
  suite.withPage(async (page) => {
    // `withPage` takes every error on the console for a fault, and what the policy forbids is one; events tell it in so many words.
    await page.evaluate(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
    });
    await emulator.script([]);
    await say(page, "Write a small Rust program");
    await (await answered(page, 1, "complete")).locator('code [data-kind="kwd"]').first().waitFor();
    await page.getByRole("link", { name: "Usage", exact: true }).click();
    await page.getByRole("table").getByRole("row", { name: /^Total/ }).waitFor();
    for (const name of ["Conversation", "User", "Day", "Model"]) {
      await page.getByRole("radio", { name, exact: true }).check();
      await page.getByRole("table").getByRole("columnheader", { name }).waitFor();
    }
    const chart = page.getByRole("group", { name: /^Cost/ }).first();
    await chart.hover();
    await chart.focus();
    await page.keyboard.press("End");
    await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await page.keyboard.press("Control+k");
    await composer(page).waitFor();
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  }, CHAT));

/** Somebody else's server, on another port, and what it was asked for. */
async function otherServer() {
  const asked = [];
  const server = createServer((from, response) => {
    asked.push(from.url);
    response.setHeader("content-type", "text/html").end("<!doctype html><title>other</title>");
  });
  server.on("upgrade", (from, socket) => asked.push(from.url) && socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, close: () => server.close() };
}

test("what gets into the page all the same does not run, and takes nothing out", async (t) => {
  const other = await otherServer();
  t.after(other.close);
  const { host } = new URL(other.url);
  await suite.withPage(
    async (page) => {
      await page.evaluate(async (elsewhere) => {
        window.blocked = new Set();
        document.addEventListener("securitypolicyviolation", (event) => window.blocked.add(event.effectiveDirective));
        const add = (name, properties) => document.body.append(Object.assign(document.createElement(name), properties));
        add("script", { textContent: "window.ran = 'inline'" });
        add("script", { src: `${elsewhere}script.js` });
        add("script", { src: "data:text/javascript,window.ran='data'" });
        add("style", { textContent: "body { display: none }" });
        add("img", { src: `${elsewhere}pixel.png` });
        add("iframe", { src: elsewhere });
        add("object", { data: `${elsewhere}object` });
        add("base", { href: elsewhere });
        const handler = document.createElement("button");
        handler.setAttribute("onclick", "window.ran = 'handler'");
        document.body.append(handler);
        handler.click();
        const form = document.createElement("form");
        form.action = `${elsewhere}form`;
        document.body.append(form);
        try {
          form.submit();
        } catch {
          // Firefox throws where others say nothing.
        }
        // By a timer: what DevTools asks a page to do may evaluate text.
        const refused = (evaluate) =>
          new Promise((done) =>
            setTimeout(() => {
              try {
                evaluate();
                done(false);
              } catch (error) {
                done(error instanceof EvalError);
              }
            }),
          );
        const evaluations = [() => (0, eval)("window.ran = 'eval'"), () => new Function("window.ran = 'Function'")()];
        for (const evaluate of evaluations) if (!(await refused(evaluate))) window.ran ??= "text";
        await fetch(`${elsewhere}fetch`).catch(() => {});
        try {
          new WebSocket(`${elsewhere.replace("http", "ws")}socket`);
        } catch {
          // Some browsers throw, others tell it later.
        }
      }, other.url);
      const directives = ["base-uri", "connect-src", "form-action", "frame-src", "img-src", "object-src", "script-src", "script-src-attr", "script-src-elem", "style-src-elem"];
      for (const directive of directives) await page.waitForFunction((name) => window.blocked.has(name), directive);
      assert.equal(await page.evaluate(() => window.ran), undefined);
      // Chromium tells of requests before it refuses them.
      assert.deepEqual(other.asked, []);
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).display === "none"), false);
    },
    { ...CHAT, expected: (fault) => /^console error:.*Content Security Policy|^page error: The page’s settings blocked/s.test(fault) || fault.startsWith(`request to another host: http://${host}/`) },
  );
});

/** Whether a WebSocket to `url` opens in `page`. */
const opens = (page, url) =>
  page.evaluate(
    (to) =>
      new Promise((done) => {
        const socket = new WebSocket(to);
        socket.onopen = () => done(true);
        socket.onerror = () => done(false);
      }),
    url,
  );

test("a page of another origin gets no socket, no answer and no frame", inChromium("it leads a name to this machine by a switch, and says when a frame is refused"), async () => {
  const other = await otherServer();
  const browser = await launch(["--host-resolver-rules=MAP rebound.example 127.0.0.1"]);
  try {
    const page = await browser.newPage();
    const { url, port } = suite.proxy;
    await page.goto(other.url);
    for (const address of [`ws://127.0.0.1:${port}/ws`, `ws://localhost:${port}/`]) assert.equal(await opens(page, address), false, address);
    assert.equal(await page.evaluate((to) => fetch(to).then(() => "read", () => "refused"), `${url}/healthz`), "refused");
    const blocked = page.waitForEvent("framenavigated", (frame) => frame.url().startsWith("chrome-error:"));
    await page.evaluate((src) => document.body.append(Object.assign(document.createElement("iframe"), { src })), url);
    await blocked;

    // A name of its own that leads to this machine.
    const rebound = await page.goto(`http://rebound.example:${port}/`);
    assert.equal(rebound.status(), 421);
    assert.equal(await opens(page, `ws://rebound.example:${port}/ws`), false);

    // The page that the proxy serves may, so that what was refused was not refused to everybody.
    await page.goto(url);
    assert.equal(await opens(page, `ws://127.0.0.1:${port}/ws`), true);
  } finally {
    await browser.close();
    other.close();
  }
});

test("a forged Host or Origin gets no socket either", async () => {
  const { port } = suite.proxy;
  const status = (headers) =>
    new Promise((done, fail) => {
      const handshake = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
      const asked = request({ port, host: "127.0.0.1", path: "/ws", headers: { ...handshake, ...headers } });
      asked.on("response", (response) => done(response.resume().statusCode)).on("error", fail);
      asked.on("upgrade", (response, socket) => done(socket.destroy() && response.statusCode));
      asked.end();
    });
  const own = `127.0.0.1:${port}`;
  assert.equal(await status({ host: own, origin: `http://${own}` }), 101);
  for (const [headers, expected] of [
    [{ host: "elsewhere.example", origin: "http://elsewhere.example" }, 421],
    [{ host: `elsewhere.example:${port}`, origin: `http://${own}` }, 421],
    [{ host: own, origin: "http://elsewhere.example" }, 403],
    [{ host: own, origin: `http://${own}.elsewhere.example` }, 403],
    [{ host: own, origin: "null" }, 403],
  ]) {
    assert.equal(await status(headers), expected, JSON.stringify(headers));
  }
});

test("what a guardrail blocks is answered in its words and marked, and the conversation goes on", () =>
  suite.withPage(async (page) => {
    await emulator.script([]);
    await say(page, "/guard Tell me a secret");
    const blocked = await answered(page, 1, "complete");
    assert.match(await textOf(blocked), /^Sorry, the guardrail blocked this message\.$/);
    await blocked.getByText("Ended by a guardrail").waitFor();
    await say(page, "/guard 12 /length 60 Tell me about rivers");
    const cut = await answered(page, 2, "complete");
    assert.match(await textOf(cut), /rivers[\s\S]*Sorry, the guardrail blocked this answer\.$/i);
    await cut.getByText("Ended by a guardrail").waitFor();
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 3, "complete")), /2 \+ 2 = 4/);
    assert.equal((await emulator.calls()).at(-1).request.messages.length, 1, "what was blocked is not sent again");
    await page.reload();
    await (await answered(page, 1, "complete")).getByText("Ended by a guardrail").waitFor();
  }, CHAT));
