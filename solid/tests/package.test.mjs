// What the package ships, as its users get it: packed, linted, rendered on a server, and built into a fresh project that chats.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { launch, openPage } from "../../e2e/lib/browser.mjs";
import { answered, say, textOf } from "../../e2e/lib/chat.mjs";
import { startProgram } from "../../e2e/lib/program.mjs";

const ROOT = resolve(import.meta.dirname, "../..");
const PACKAGES = { "@outcrop/client": join(ROOT, "client-wasm", "pkg"), "@outcrop/solid": join(ROOT, "solid") };
const COMMAND_TIMEOUT_MS = 240_000;

/** What a page may have for its own text, as templates of Vite do: nothing of it is meant for a component. */
const PAGE_STYLES = `
#app { text-align: center; letter-spacing: 1px; text-transform: uppercase; }
h1, h2, h3 { color: red; letter-spacing: 2px; }
code { display: inline-flex; padding: 4px 8px; background: yellow; color: red; line-height: 3; }
`;

/** The most that the example's page loads at first beside the WebAssembly module, compressed with brotli: scripts and style sheets. */
const SIZE_LIMIT_BYTES = 78_000;

let folder;
const packed = {};

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "outcrop-solid-"));
  for (const [name, path] of Object.entries(PACKAGES)) {
    const [{ filename }] = JSON.parse(await run(folder, "npm", "pack", path, "--json", "--ignore-scripts"));
    packed[name] = join(folder, filename);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("publint finds nothing", async () => {
  await run(ROOT, bin("publint"), "solid", "--strict");
});

test("its types are those of its modules, for every way of importing it", async () => {
  await run(ROOT, bin("attw"), packed["@outcrop/solid"], "--profile", "esm-only", "--exclude-entrypoints", "styles.css", "usage.css", "--no-emoji");
});

test("it is rendered where there is no browser, and nothing connects there", async () => {
  const script = `
    import { createComponent, renderToString } from "solid-js/web";
    import { AgentChat, CollapsibleAgentChat } from "@outcrop/solid";
    import { ChatClient } from "@outcrop/client";
    const client = new ChatClient({ url: "ws://127.0.0.1:1/ws" });
    for (const component of [AgentChat, CollapsibleAgentChat]) {
      process.stdout.write(renderToString(() => createComponent(component, { client })));
    }
    process.stdout.write("\\n" + client.status.state);`;
  const output = await run(join(ROOT, "www"), process.execPath, "--input-type=module", "--eval", script);
  assert.match(output, /oc-agent/);
  assert.match(output, /oc-launcher/);
  assert.match(output, /\nidle$/);
});

test("the example is built from the packed packages in a fresh project, and chats", async (t) => {
  const project = join(folder, "project");
  cpSync(join(ROOT, "examples", "solid"), project, { recursive: true, filter: (path) => !/node_modules|dist$/.test(path) });
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  for (const name of Object.keys(PACKAGES)) manifest.dependencies[name] = `file:${packed[name]}`;
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  appendFileSync(join(project, "src", "page.css"), PAGE_STYLES);
  await run(project, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline");
  await run(project, "npm", "run", "build");
  const bytes = firstLoad(join(project, "dist"));
  t.diagnostic(`the page loads ${bytes} bytes beside the WebAssembly module`);
  assert.ok(bytes <= SIZE_LIMIT_BYTES, `${bytes} bytes are more than ${SIZE_LIMIT_BYTES}`);

  const data = mkdtempSync(join(folder, "data-"));
  const proxy = await startProgram(process.env.OUTCROP_PROXY_BIN, ["serve", "--demo", "--demo-pace", "0", "--listen", "127.0.0.1:0", "--data-dir", data, "--www", join(project, "dist")]);
  const browser = await launch();
  try {
    const { page, faults } = await openPage(browser, proxy.url);
    await say(page, "2+2");
    assert.match(await textOf(await answered(page, 1, "complete")), /2 \+ 2 = 4/);
    const launcher = page.getByRole("button", { name: "Ask Claude" });
    assert.equal(await launcher.evaluate((element) => getComputedStyle(element).backgroundColor), "rgb(11, 92, 138)", "the page's own accent");
    await launcher.click();
    const dialog = page.getByRole("dialog", { name: "Claude" });
    await dialog.getByText("2 + 2 = 4").waitFor();
    await say(dialog, "Write a small Rust program");
    const answer = await answered(dialog, 2, "complete");
    await answer.locator('code [data-kind="kwd"]').first().waitFor();
    const styles = (part, ...names) => part.evaluate((element, names) => names.map((name) => getComputedStyle(element)[name]), names);
    assert.deepEqual(await styles(answer.locator("pre code"), "display", "padding", "backgroundColor"), ["inline", "0px", "rgba(0, 0, 0, 0)"]);
    assert.deepEqual(await styles(answer.locator("p").first(), "textAlign", "letterSpacing", "textTransform"), ["start", "normal", "none"]);
    assert.deepEqual(await styles(dialog.getByRole("heading", { name: "Claude" }), "color", "letterSpacing"), await styles(dialog, "color", "letterSpacing"));
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    await proxy.stop();
  }
});

/** What index.html names, compressed with brotli, in bytes. */
function firstLoad(dist) {
  const names = readFileSync(join(dist, "index.html"), "utf8").matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g);
  return [...names].reduce((sum, [, name]) => sum + brotliCompressSync(readFileSync(join(dist, name))).length, 0);
}

async function run(cwd, command, ...args) {
  try {
    return (await promisify(execFile)(command, args, { cwd, timeout: COMMAND_TIMEOUT_MS })).stdout;
  } catch (error) {
    throw new Error(`${command} ${args.slice(0, 3).join(" ")} failed:\n${error.stdout}\n${error.stderr}`);
  }
}

function bin(name) {
  return join(ROOT, "node_modules", ".bin", name);
}
