import { Lexer, type MarkedOptions, type Token, type Tokens, type TokensList } from "marked";
import { GROWING, openFormula, WHOLE } from "./formulas.ts";
import { kept } from "./kept.ts";

/** Markdown as blocks, with what parsing goes on from when more text comes. */
export interface Parsed {
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Link targets that were defined on lines of their own. */
  readonly links: TokensList["links"];
}

export interface Block {
  readonly token: Token;
  /** Where the block begins and ends in the text. */
  readonly start: number;
  readonly end: number;
}

const EMPTY: Parsed = { text: "", blocks: [], links: {} };

/**
 * The blocks of a text that grows: only the last block of `before` is parsed again, the others are the same objects. The result
 * for a text that is no continuation is that of a fresh parse. Bold text and code that have begun in the last line count as
 * ended there, so that they look right from their first character on.
 */
export function parseMore(text: string, before: Parsed = EMPTY): Parsed {
  const source = normalised(text);
  const last = before.blocks.at(-1);
  const continues = last !== undefined && source.startsWith(before.text);
  const parse = (whole: string) =>
    continues ? parseFrom(whole, GROWING, last.start, before.blocks.slice(0, -1), before.links) : parseFrom(whole, GROWING);
  const parsed = parse(source);
  const closed = withClosedEnd(source);
  const isClosed = closed === source || !PROSE.has(innermost(parsed.blocks.at(-1)?.token) ?? "");
  const result = isClosed ? parsed : { ...parse(closed), text: source };
  return continues ? withKept(result, before) : result;
}

/** The blocks with what did not change in the one that was the last: page elements hang on the objects. */
function withKept(parsed: Parsed, before: Parsed): Parsed {
  const index = before.blocks.length - 1;
  const block = parsed.blocks[index];
  return block === undefined ? parsed : { ...parsed, blocks: parsed.blocks.with(index, { ...block, token: kept(before.blocks[index]?.token, block.token) }) };
}

/** Blocks whose last line is running text. */
const PROSE = new Set(["paragraph", "text", "heading", "table"]);

/** What the end of a block is: in a list or a quotation that of the last block in it. */
function innermost(token: Token | undefined): string | undefined {
  const inner = token?.type === "list" ? (token as Tokens.List).items : NESTING.has(token?.type ?? "") ? (token as Tokens.Blockquote).tokens : undefined;
  return inner === undefined ? token?.type : (innermost(inner.findLast(({ type }) => type !== "space")) ?? "text");
}

const NESTING = new Set(["list_item", "blockquote"]);

/**
 * The blocks of a text that is whole, exactly as one parse gives them; blocks that did not change are the same objects. A link
 * target may be defined at the very end, and change a block at the beginning.
 */
export function parseWhole(text: string, before: Parsed = EMPTY): Parsed {
  const whole = parseFrom(normalised(text), WHOLE);
  if (Object.keys(whole.links).length > 0) return whole;
  const blocks = whole.blocks.map((block, index) => {
    const old = before.blocks[index];
    return old !== undefined && old.start === block.start && old.token.type === block.token.type && old.token.raw === block.token.raw ? old : block;
  });
  return { ...whole, blocks };
}

function parseFrom(source: string, options: MarkedOptions, start = 0, finished: readonly Block[] = [], links: TokensList["links"] = {}): Parsed {
  const lexer = new Lexer({ ...options });
  Object.assign(lexer.tokens.links, links);
  const blocks = [...finished];
  let at = start;
  for (const token of lex(lexer, source.slice(start))) {
    const end = at + token.raw.length;
    if (token.type !== "space") blocks.push({ token, start: at, end });
    at = end;
  }
  return { text: source, blocks, links: lexer.tokens.links };
}

/** What the lexer cannot take (it throws at nesting deeper than its stack) is shown as it was written. */
function lex(lexer: Lexer, source: string): Token[] {
  try {
    return lexer.lex(source);
  } catch {
    return [{ type: "text", raw: source, text: source }];
  }
}

function normalised(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/**
 * The text with bold and code that are open in its last line closed, or left out where nothing is in them yet. A formula that is open
 * there is left out: half of one says little, and its source would give way to it in the blink of an eye.
 */
function withClosedEnd(text: string): string {
  const lineStart = text.lastIndexOf("\n") + 1;
  const formula = openFormula(text.slice(lineStart));
  return formula === undefined ? withClosedMarks(text) : withClosedMarks(text.slice(0, lineStart + formula));
}

function withClosedMarks(text: string): string {
  const line = text.slice(text.lastIndexOf("\n") + 1).replace(/`[^`]+`/g, "");
  if (line.includes("`")) return line.endsWith("`") ? text.replace(/`+$/, "") : `${text}\``;
  const marks = line.match(/\*\*(?=\S|$)|\*\*(?<=\S\*\*)/g)?.length ?? 0;
  const bare = text.replace(/\*+$/, "");
  if (marks % 2 === 0) return line.endsWith("**") ? text : bare;
  return line.endsWith("**") ? bare : `${bare.trimEnd()}**`;
}

/**
 * A text that still grows, without an end that would look wrong for a moment: the first line of a code fence that is not yet
 * whole, and the head of a table whose line of dashes has not come.
 */
export function withoutRaggedEnd(text: string): string {
  const lineStart = text.lastIndexOf("\n") + 1;
  const line = text.slice(lineStart);
  if (/^ {0,3}(`{1,3}|~{1,3}|```[^`\n]*)$/.test(line)) return text.slice(0, lineStart);
  const blockStart = text.lastIndexOf("\n\n") + 2;
  const block = text.slice(blockStart === 1 ? 0 : blockStart);
  if (/^ {0,3}\|[^\n]*(\n[ |:-]*)?$/.test(block)) return text.slice(0, text.length - block.length);
  return text;
}
