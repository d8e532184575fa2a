import type { Token } from "marked";
import { describe, expect, it } from "vitest";
import { openFormula } from "./formulas.ts";
import { parseMore, parseWhole, type Parsed } from "./parse.ts";

/** The formulas of a text, in order; those that stand by themselves in double brackets. */
function formulas(parsed: Parsed): string[] {
  const found: string[] = [];
  const walk = (token: Token): void => {
    if (token.type === "formula") found.push(token["display"] ? `[[${token["text"]}]]` : token["text"]);
    const inner = token as { tokens?: Token[]; items?: Token[]; rows?: { tokens: Token[] }[][] };
    for (const each of [...(inner.tokens ?? []), ...(inner.items ?? []), ...(inner.rows ?? []).flat().flatMap(({ tokens }) => tokens)]) walk(each);
  };
  for (const { token } of parsed.blocks) walk(token);
  return found;
}

describe("a formula", () => {
  it.each([
    ["Let $x$ be", ["x"]],
    ["$x_1$ and $y_2$, $a*b*c$", ["x_1", "y_2", "a*b*c"]],
    ["**Step $a*b$** and *$x$*", ["a*b", "x"]],
    ["$2x + 3 = 7$", ["2x + 3 = 7"]],
    ["$x \\text{ for all real } y$", ["x \\text{ for all real } y"]],
    ["$\\sin x \\cos y$", ["\\sin x \\cos y"]],
    ["It is \\(x^2\\).", ["x^2"]],
    ["It is \\[x^2\\] so", ["[[x^2]]"]],
    ["It is $$x^2$$ so", ["[[x^2]]"]],
    ["$$\nx\n- y\n= z\n$$", ["[[x\n- y\n= z]]"]],
    ["\\[\n\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}\n\\]", ["[[\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}]]"]],
    ["\\[\na \\\\[2pt]\nb\n\\]", ["[[a \\\\[2pt]\nb]]"]],
    ["So:\n$$\nx\n$$\nand on", ["[[x]]"]],
    ["1. One\n   $$\n   x\n   $$\n2. $y$", ["[[x]]", "y"]],
    ["> $$\n> x\n> $$", ["[[x]]"]],
    ["| a |\n|---|\n| $x$ |", ["x"]],
    ["## Of $n$", ["n"]],
    ["$\\$5 + x$", ["\\$5 + x"]],
  ])("is found in %j", (text, expected) => expect(formulas(parseWhole(text))).toEqual(expected));

  it.each([
    ["It costs $5 and $10."],
    ["From $5-$10, or $5/$10."],
    ["The $5 plan and the 10$ plan."],
    ["US$5 and A$7 and US$"],
    ["$HOME and $PATH, $HOME/$USER"],
    ["$HOME is one and so is that$"],
    ["\\$5 and \\$6$"],
    ["`$x$` and ``\\(y\\)``"],
    ["```\n$x$\n$$\ny\n$$\n```"],
    ["    $x$"],
    ["$ x $ and $$"],
    ["$$\n\n$$"],
    ["$$\na\n\nb\n$$"],
    ["\\[citation was needed\\] and \\[a\\](b)"],
    ["[a](https://example.com/$x$) https://example.com/?a=$b$"],
    ["an $open one"],
    ["$`x`$"],
  ])("is not found in %j", (text) => expect(formulas(parseWhole(text))).toEqual([]));
});

it("a mark that is never closed takes no more than a formula may hold", () => {
  const text = `$$\n${"x\n".repeat(6_000)}`;
  expect(formulas(parseMore(text))).toEqual([]);
  expect(formulas(parseMore(text.slice(0, 9_000)))).toHaveLength(1);
});

describe("a formula that is still written", () => {
  it.each([
    ["Let $", 4], ["Let $x^2", 4], ["Let $$x", 4], ["Let \\", 4], ["Let \\(x + ", 4], ["Let \\[x", 4], ["Let $x$ and $y", 12],
    ["It costs $5 a day", undefined], ["$HOME and other things", undefined], ["Let $x$", undefined], ["a `$x", undefined], ["a `b` $x", 6], ["US$", undefined],
  ])("begins in %j at %j", (line, at) => expect(openFormula(line)).toBe(at));

  const TEXT = "Let $x_1$ be *so* and $y^2 + 1$.\n\nCosts $5 or $10.\n\n$$\na\n- b\n$$\n\nAnd \\(z\\):\n\\[\nq = 1\n\\]\n\n- item $i$\n\n| a |\n|---|\n| $t$ |\n\nEnd.";

  it.each([1, 2, 3, 7])("comes to the same as one parse in pieces of %i", (size) => {
    let parsed: Parsed | undefined;
    for (let end = size; end < TEXT.length + size; end += size) parsed = parseMore(TEXT.slice(0, end), parsed);
    expect(parsed?.blocks.map(({ token, start, end }) => [token.type, start, end])).toEqual(parseWhole(TEXT).blocks.map(({ token, start, end }) => [token.type, start, end]));
    expect(formulas(parsed as Parsed)).toEqual(formulas(parseWhole(TEXT)));
  });

  it("is not shown in its line before it is whole, and its source is shown where it has lines of its own", () => {
    expect(parseMore("Let $x^2").blocks.map(({ token }) => token.raw)).toEqual(["Let "]);
    expect(parseMore("- **Let $x^2").blocks[0]?.token.raw).toBe("- **Let**");
    expect(parseMore("Let\n\n$$\nx +").blocks[1]?.token).toMatchObject({ type: "formula", text: "x +" });
    expect(parseMore("```\necho $HOME").blocks[0]?.token.raw).toBe("```\necho $HOME");
    expect(parseMore("- a\n\n  ```\n  echo $HOME").blocks[0]?.token.raw).toContain("$HOME");
  });
});
