import { describe, expect, it } from "vitest";
import { parseMore, parseWhole, withoutRaggedEnd, type Parsed } from "./parse.ts";

const DOCUMENT = `# Title

A paragraph with **bold**, \`code\` and a [link](https://example.com).
It goes on.

Setext
---

- one
- two

  with a paragraph
- three
  1. inner
  2. more

| a | b |
|---|--:|
| 1 | 2 |
| 3 |

> quoted
> > deeper

\`\`\`rust
fn main() {

    println!("a");
}
\`\`\`

<div>

raw
</div>

* * *

    indented code

The end: see [later].

[later]: https://example.com/later
`;

/** The text given in pieces of `size` characters. */
function stream(text: string, size: number): Parsed {
  let parsed: Parsed | undefined;
  for (let end = size; end < text.length + size; end += size) parsed = parseMore(text.slice(0, end), parsed);
  return parsed as Parsed;
}

const shape = (parsed: Parsed) => parsed.blocks.map(({ token, start, end }) => [token.type, start, end]);

describe("a text that grows", () => {
  it.each([1, 2, 3, 7, 50, 10_000])("has the blocks of one parse when it comes in pieces of %i", (size) => {
    expect(shape(stream(DOCUMENT, size))).toEqual(shape(parseWhole(DOCUMENT)));
  });

  it("keeps finished blocks as the same objects", () => {
    const before = parseMore("# One\n\nTwo\n\nThr");
    const after = parseMore("# One\n\nTwo\n\nThree", before);
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
    expect(after.blocks[2]).not.toBe(before.blocks[2]);
  });

  it("parses the last block only", () => {
    const finished = parseMore(`${"A paragraph.\n\n".repeat(5_000)}x`);
    const tampered = { ...finished, blocks: finished.blocks.map((block) => ({ ...block })) };
    const after = parseMore(`${finished.text}y`, tampered);
    expect(after.blocks.slice(0, -1).every((block, index) => block === tampered.blocks[index])).toBe(true);
    expect(after.blocks.at(-1)?.token.raw).toBe("xy");
  });

  it("keeps its blocks when it is whole, but for what a link at the end changes", () => {
    const growing = parseMore("One\n\nTwo");
    expect(parseWhole("One\n\nTwo", growing).blocks).toEqual(growing.blocks);
    expect(parseWhole("One\n\nTwo", growing).blocks[0]).toBe(growing.blocks[0]);
    const late = "See [x].\n\n[x]: https://example.com";
    const whole = parseWhole(late, stream(late, 1));
    expect(JSON.stringify(whole.blocks[0]?.token)).toContain("https://example.com");
  });

  it("that was replaced is parsed anew", () => {
    expect(shape(parseMore("Other", parseMore("# One\n\nTwo")))).toEqual(shape(parseWhole("Other")));
  });

  it("may have Windows line ends", () => {
    expect(shape(stream("# A\r\n\r\n- b\r\n- c\r\n", 1))).toEqual(shape(parseWhole("# A\n\n- b\n- c\n")));
  });
});

describe("a ragged end", () => {
  it.each([
    ["Text\n\n```ru", "Text\n\n"],
    ["Text\n\n`", "Text\n\n"],
    ["Text\n\n```rust\nfn", "Text\n\n```rust\nfn"],
    ["Text\n\n| a | b |", "Text\n\n"],
    ["Text\n\n| a | b |\n|--", "Text\n\n"],
    ["Text\n\n| a | b |\n|---|---|\n| 1", "Text\n\n| a | b |\n|---|---|\n| 1"],
    ["| a", ""],
    ["a | b", "a | b"],
    ["plain `code` text", "plain `code` text"],
  ])("of %j is not shown yet", (text, shown) => expect(withoutRaggedEnd(text)).toBe(shown));
});

it("nesting that the parser cannot take is shown as text", () => {
  const deep = ">".repeat(20_000);
  expect(parseWhole(deep).blocks.map((block) => block.token.raw).join("")).toContain(">>>>");
});
