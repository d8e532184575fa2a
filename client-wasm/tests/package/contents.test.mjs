// What is in the packed package, and what tools that look packages over say of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { filesIn, project, ROOT } from "./lib/project.mjs";

/** Nothing that signs requests to AWS, and no path of the machine that built it. */
const FOREIGN = ["AWS4-HMAC-SHA256", "SecretAccessKey", "aws_secret_access_key", "aws-sdk", "x-amz-", ROOT, process.env.HOME];

let packed;
before(async () => (packed = await project("types")));

test("everything that package.json names is in it", () => {
  const manifest = JSON.parse(readFileSync(join(packed.installed, "package.json"), "utf8"));
  const paths = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(paths));
  for (const path of paths(manifest.exports)) assert.ok(packed.packed.includes(path.slice(2)), `${path} is not in ${packed.packed}`);
  for (const name of manifest.files.filter((name) => name !== "snippets")) assert.ok(packed.packed.includes(name), name);
  assert.ok(packed.packed.includes("README.md"));
});

test("nothing in it signs requests or names the machine that built it", () => {
  for (const path of filesIn(packed.installed)) {
    const bytes = readFileSync(path);
    for (const text of FOREIGN.filter(Boolean)) assert.ok(!bytes.includes(text), `${path} holds ${text}`);
  }
});

test("source maps have the code as it was written, with its comments", () => {
  for (const name of packed.packed.filter((name) => name.endsWith(".js.map"))) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(packed.installed, name), "utf8"));
    const source = name.slice(0, -".map".length);
    assert.deepEqual(sources, [`src/${source}`]);
    assert.equal(sourcesContent[0], readFileSync(join(ROOT, "client-wasm", "npm", source), "utf8"));
    assert.ok(readFileSync(join(packed.installed, source), "utf8").trimEnd().endsWith(`//# sourceMappingURL=${name}`));
  }
});

test("publint has nothing to say", () => packed.run("publint", "--strict", packed.tarball));

test("the types are right for whoever imports it", () => packed.run("attw", packed.tarball, "--profile", "esm-only", "--exclude-entrypoints", "outcrop_client_bg.wasm"));

for (const [of, config] of Object.entries({
  "browser code": "tsconfig.json",
  "code with `using`": "tsconfig.disposable.json",
  "Node code, which knows no DOM": "tsconfig.node.json",
  "the adapters": "tsconfig.adapters.json",
})) {
  test(`the types hold in ${of}`, () => packed.run("tsc", "--project", config));
}
