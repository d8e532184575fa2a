import { Marked, type MarkedOptions, type Tokens } from "marked";

/** A formula in TeX. */
export interface FormulaToken extends Tokens.Generic {
  type: "formula";
  /** The formula without its marks. */
  text: string;
  /** Whether it stands on a line of its own. */
  display: boolean;
}

/** Longer formulas are text: a mark that is never closed must not cost a search of the whole answer. */
const MAX_DISPLAY_CHARS = 10_000;
const MAX_INLINE_CHARS = 1_000;

/** Marks inside a line. A dollar is one only where no space is inside it and no letter or digit outside it. No code is in a formula. */
const INLINE = [
  { pattern: /^\$\$((?:\\[\s\S]|[^\\$`])+?)\$\$/, display: true },
  { pattern: /^\$(?![\s$])((?:\\[\s\S]|[^\\$`])+)(?<!\s)\$(?![\p{L}\p{N}$])/u, display: false },
  { pattern: /^\\\(((?:\\[^()]|[^\\`])+)\\\)/, display: false },
  { pattern: /^\\\[((?:\\[^[\]]|[^\\`])+)\\\](?!\()/, display: true },
];

/** What a formula that is a block may hold: no blank line, no mark of its own kind but as part of `\\[2pt]`. */
const IN_DOLLARS = /(?:\\[^\n]|[^\\$\n]|\$(?!\$)|\n(?![ \t]*\n))/.source;
const IN_BRACKETS = /(?:\\[^[\]\n]|[^\\\n]|\n(?![ \t]*\n))/.source;

/** It begins its line and ends one. */
const BLOCK = [new RegExp(`^ {0,3}\\$\\$(${IN_DOLLARS}+)\\$\\$[ \\t]*(?=\\n|$)`), new RegExp(`^ {0,3}\\\\\\[(${IN_BRACKETS}+)\\\\\\][ \\t]*(?=\\n|$)`)];

/** The beginning of such a block whose end has not come. */
const OPEN_BLOCK = [new RegExp(`^ {0,3}\\$\\$(${IN_DOLLARS}*[\\\\$]?)$`), new RegExp(`^ {0,3}\\\\\\[(${IN_BRACKETS}*\\\\?)$`)];

/** What may still become a formula inside a line. */
const OPEN_INLINE = [/^\$\$?$/, /^\\$/, /^\$\$((?:\\[\s\S]?|[^\\$`])+)\$?$/, /^\$(?![\s$])((?:\\[\s\S]?|[^\\$`])+)$/, /^\\[([]((?:\\[^()[\]]|[^\\`])*\\?)$/];

/** The formula that the text begins with. */
function inlineFormula(src: string): FormulaToken | undefined {
  const near = src.slice(0, MAX_INLINE_CHARS);
  for (const { pattern, display } of INLINE) {
    const found = pattern.exec(near);
    const text = found?.[1]?.trim() ?? "";
    if (found !== null && text !== "" && !isProse(text)) return { type: "formula", raw: found[0], text, display };
  }
  return undefined;
}

function blockFormula(src: string, patterns: readonly RegExp[]): FormulaToken | undefined {
  const near = src.slice(0, MAX_DISPLAY_CHARS);
  const found = patterns.map((pattern) => pattern.exec(near)).find((match) => match !== null);
  if (found === undefined || found[0].length === MAX_DISPLAY_CHARS) return undefined;
  return { type: "formula", raw: found[0], text: (found[1] ?? "").trim(), display: true };
}

/** Whether words stand between two marks, as between two prices: two in a row, or one after an amount. Words in braces are TeX. */
function isProse(text: string): boolean {
  const bare = text.replace(/\\[A-Za-z]+|\{[^{}]*\}/g, "·");
  return /\p{L}{2,}\s+\p{L}{2,}/u.test(bare) || (/^\d/.test(bare) && /\p{L}{2,}/u.test(bare));
}

/** Where in a line a formula begins that may still be closed; undefined where none does. */
export function openFormula(line: string): number | undefined {
  const mark = /(`+)|(?<![\p{L}\p{N}])\$+|\\[\s\S]?/gu;
  for (let found = mark.exec(line); found !== null; found = mark.exec(line)) {
    if (found[1] !== undefined) {
      const end = line.indexOf(found[1], mark.lastIndex);
      if (end === -1) return undefined;
      mark.lastIndex = end + found[1].length;
      continue;
    }
    const rest = line.slice(found.index);
    const whole = inlineFormula(rest);
    if (whole !== undefined) mark.lastIndex = found.index + whole.raw.length;
    else if (mayBecome(rest)) return found.index;
  }
  return undefined;
}

function mayBecome(rest: string): boolean {
  if (rest.length > MAX_INLINE_CHARS) return false;
  const found = OPEN_INLINE.map((pattern) => pattern.exec(rest)).find((match) => match !== null);
  return found !== undefined && !isProse(found[1] ?? "");
}

/** Where the next paragraph is interrupted by a formula that begins a line. */
function startOfBlock(src: string): number | undefined {
  const end = src.indexOf("\n\n");
  const found = /\n {0,3}(?:\$\$|\\\[)/.exec(end === -1 ? src : src.slice(0, end));
  return found === null || blockFormula(src.slice(found.index + 1), [...BLOCK, ...OPEN_BLOCK]) === undefined ? undefined : found.index + 1;
}

function startInline(src: string): number | undefined {
  let at = src.indexOf("$");
  while (at > 0 && /[\p{L}\p{N}]/u.test(src.charAt(at - 1))) at = src.indexOf("$", at + 1);
  return at === -1 ? undefined : at;
}

/** Emphasis is not looked for in formulas. */
function emStrongMask(src: string): string {
  if (!src.includes("$")) return src;
  return src.replace(/\$\$[^$`]+\$\$|(?<![\p{L}\p{N}])\$(?![\s$])[^$`]+(?<!\s)\$(?![\p{L}\p{N}$])/gu, (found) => (isProse(found.slice(1)) ? found : "a".repeat(found.length)));
}

function lexerOptions(blocks: readonly RegExp[]): MarkedOptions {
  const block = { name: "formula", level: "block" as const, start: startOfBlock, tokenizer: (src: string) => blockFormula(src, blocks) };
  const inline = { name: "formula", level: "inline" as const, start: startInline, tokenizer: (src: string) => inlineFormula(src) };
  return new Marked({ gfm: true, extensions: [block, inline], hooks: { emStrongMask } }).defaults;
}

/** How a text is lexed that has come to its end, and one that grows: the end of its last formula may be still to come. */
export const WHOLE = lexerOptions(BLOCK);
export const GROWING = lexerOptions([...BLOCK, ...OPEN_BLOCK]);
