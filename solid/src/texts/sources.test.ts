import ts from "typescript";
import { expect, it } from "vitest";

const SOURCES = import.meta.glob<string>(["../components/**/*.tsx", "!../**/*.test.tsx"], { query: "?raw", import: "default", eager: true });

const STYLES = import.meta.glob<string>(["../components/**/*.css"], { query: "?raw", import: "default", eager: true });

const SPOKEN = /^(aria-(label|description|roledescription|valuetext|placeholder)|title|placeholder|alt|label|legend)$/;

/** Commands of the emulator, which are the same in every language. */
const COMMANDS = ["/help"];

/** What is written in a component where a person would see or hear it. */
function wordsIn(name: string, source: string): string[] {
  const found: string[] = [];
  const say = (text: string) => /\p{L}/u.test(text) && !COMMANDS.includes(text.trim()) && found.push(`${name}: ${text.trim()}`);

  function visit(node: ts.Node, isShown: boolean): void {
    if (ts.isJsxText(node)) return void say(node.text);
    if (ts.isJsxAttribute(node)) return void (node.initializer && visit(node.initializer, SPOKEN.test(node.name.getText())));
    if (ts.isJsxExpression(node)) return ts.forEachChild(node, (child) => visit(child, ts.isJsxAttribute(node.parent) ? isShown : true));
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) return void (isShown && say(node.text));
    // What a string is compared with, looked up by or called with is not shown.
    const isHidden = ts.isCallExpression(node) || ts.isElementAccessExpression(node) || ts.isFunctionLike(node) || (ts.isBinaryExpression(node) && /^[=!]==$/.test(node.operatorToken.getText()));
    ts.forEachChild(node, (child) => visit(child, isShown && !isHidden));
  }
  visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX), false);
  return found;
}

it("finds words where they are shown, and only there", () => {
  const words = (jsx: string) => wordsIn("x", `const x = ${jsx};`);
  expect(words("<p>One</p>")).toEqual(["x: One"]);
  expect(words('<p title="One" class="two" aria-label={a ? "Three" : `Four ${b}`}>{c === "five" ? "Six" : ""}</p>')).toEqual(["x: One", "x: Three", "x: Four", "x: Six"]);
  expect(words('<Show when={a() === "b"}>{(c) => <p data-kind="d">{c("e")} · {texts().f["g"]}</p>}</Show>')).toEqual([]);
});

it("no component has words of its own", () => {
  expect(Object.keys(SOURCES).length).toBeGreaterThan(30);
  expect(Object.entries(SOURCES).flatMap(([name, source]) => wordsIn(name, source))).toEqual([]);
});

/** Declarations that say left or right where a page from right to left has them the other way round. */
function sidesIn(source: string): string[] {
  return source.split(/[{};]/).map((line) => line.trim()).filter((line) => {
    const [name = "", value = ""] = line.split(/:\s+/);
    const [, right, , left] = value.replace(/var\([^)]*\)/g, "0").split(/\s+(?![^(]*\))/);
    return /^[a-z-]*\b(left|right)$/.test(name) || (/^(float|clear|text-align)$/.test(name) && /^(left|right)$/.test(value)) || (/^(margin|padding|inset|border-width)$/.test(name) && left !== undefined && left !== right);
  });
}

it("no style has a left and a right of its own", () => {
  expect(sidesIn("a { left: 0; margin: 0 1px 0 2px; float: left } b { margin: 0 calc(1px + 2px) 0 calc(1px + 2px); text-align: end; inset-inline-start: 0 }")).toEqual(["left: 0", "margin: 0 1px 0 2px", "float: left"]);
  expect(Object.values(STYLES).join("").length).toBeGreaterThan(10_000);
  expect(Object.entries(STYLES).flatMap(([name, source]) => sidesIn(source).map((line) => `${name}: ${line}`))).toEqual([]);
});
