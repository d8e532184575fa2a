import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { anchors, links, quotes } from "../lib/markdown.mjs";
import { ROOT } from "../lib/paths.mjs";

const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" }).split("\0");
const documents = files.filter((name) => name.endsWith(".md") && existsSync(join(ROOT, name)));

function read(name) {
  return readFileSync(join(ROOT, name), "utf8");
}

test("every link of every document leads somewhere", () => {
  const broken = [];
  for (const name of documents) {
    for (const link of links(read(name))) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path, anchor] = decodeURIComponent(link).split("#");
      const target = path === "" ? join(ROOT, name) : resolve(ROOT, dirname(name), path);
      if (!existsSync(target)) broken.push(`${name}: ${link}: there is no ${relative(ROOT, target)}`);
      else if (anchor !== undefined && !(statSync(target).isFile() && anchors(readFileSync(target, "utf8")).has(anchor))) {
        broken.push(`${name}: ${link}: no heading has the anchor ${anchor}`);
      }
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(documents.includes("README.md") && documents.includes("docs/protocol.md"), documents.join(" "));
});

test("every document is in the list of documents", () => {
  const listed = links(read("docs/README.md")).map((link) => relative(ROOT, resolve(ROOT, "docs", link.split("#")[0])));
  const missing = documents.filter((name) => name !== "docs/README.md" && !listed.includes(name));
  assert.deepEqual(missing, []);
});

test("messages that the troubleshooting quotes are those that the program has", () => {
  const sources = files.filter((name) => /^(proxy|tools|protocol|client-core|client-wasm)\/(src|npm)\/.*\.(rs|js)$/.test(name) && existsSync(join(ROOT, name)));
  const program = sources.map(read).join("\n").replace(/\\\n\s*/g, "").replace(/\s+/g, " ");
  const quoted = quotes(read("docs/troubleshooting.md"));
  assert.ok(quoted.length > 40, `${quoted.length} quotes`);
  assert.deepEqual(quoted.filter((quote) => !program.includes(quote)), []);
});

test("links, anchors and quotes are found as a reader sees them", () => {
  assert.deepEqual(links("a [b](c.md#d) ![e](f.png) `[g](h)`\n```\n[i](j)\n```\n[`k`](l)"), ["c.md#d", "f.png", "l"]);
  assert.deepEqual([...anchors("# A `b`: c's\n## [D](e) f\n## D f\n```\n# no\n```\n### rate_limited")], ["a-b-cs", "d-f", "d-f-1", "rate_limited"]);
  assert.deepEqual(quotes("> first line\n> and {x} the second\n\n*The short one is kept.* **bold is not taken** `*nor is code*` *of … a cut one*"), [
    "first line and",
    "the second",
    "The short one is kept.",
    "a cut one",
  ]);
});
