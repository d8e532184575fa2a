import type { Token, Tokens } from "marked";

/** A token of a block that was parsed again, with everything in it that did not change replaced by the same object as before. */
export function kept(before: Token | undefined, after: Token): Token {
  if (before === undefined || before.type !== after.type) return after;
  if (isList(before) && isList(after)) return { ...after, items: after.items.map((item, index) => kept(before.items[index], item) as Tokens.ListItem) };
  if (isTable(before) && isTable(after)) return { ...after, header: keptRow(before.header, after.header), rows: after.rows.map((row, index) => keptRow(before.rows[index], row)) };
  // An item of a list becomes another one where the list gets blank lines between its items.
  if (before.raw === after.raw && (before as Tokens.ListItem).loose === (after as Tokens.ListItem).loose) return before;
  const inner = (before as { tokens?: Token[] }).tokens ?? [];
  const tokens = (after as { tokens?: Token[] }).tokens?.map((token, index) => kept(inner[index], token));
  return tokens === undefined ? after : { ...after, tokens };
}

function keptRow(before: Tokens.TableCell[] | undefined, after: Tokens.TableCell[]): Tokens.TableCell[] {
  const cells = after.map((cell, index) => (isSame(before?.[index], cell) ? (before?.[index] as Tokens.TableCell) : cell));
  return before?.length === after.length && cells.every((cell, index) => cell === before[index]) ? before : cells;
}

function isSame(before: Tokens.TableCell | undefined, after: Tokens.TableCell): boolean {
  return before?.text === after.text && before.align === after.align;
}

function isList(token: Token): token is Tokens.List {
  return token.type === "list";
}

function isTable(token: Token): token is Tokens.Table {
  return token.type === "table";
}
