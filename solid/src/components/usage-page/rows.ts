import type { UsageRow, UsageSum } from "@outcrop/client";
import { inputTokens } from "../../format/usage.ts";

/** The columns of the table, by which it can be sorted. */
export const COLUMNS = ["name", "cost", "tokens", "input", "output", "turns", "tools"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Sorting {
  readonly column: Column;
  readonly isDescending: boolean;
}

/** A row with what a person calls it. */
export interface NamedRow extends UsageRow {
  readonly name: string;
}

/** The figure of a sum in a column; a cost that is unknown is below every one that is known. */
export function figure(sum: UsageSum, column: Exclude<Column, "name">): number {
  switch (column) {
    case "turns":
      return sum.turns;
    case "tools":
      return sum.toolCalls;
    case "input":
      return inputTokens(sum.usage);
    case "output":
      return sum.usage.outputTokens;
    case "tokens":
      return sum.usage.totalTokens;
    case "cost":
      return sum.usage.costNanoUsd ?? -1;
  }
}

/** The rows in an order. Rows that are equal in it stay as the proxy gave them. */
export function sorted(rows: readonly NamedRow[], { column, isDescending }: Sorting, compareNames: (a: string, b: string) => number): NamedRow[] {
  const sign = isDescending ? -1 : 1;
  const compare = (a: NamedRow, b: NamedRow) => (column === "name" ? compareNames(label(a), label(b)) : figure(a, column) - figure(b, column));
  return rows.toSorted((a, b) => sign * compare(a, b));
}

/** Days are in their order by key, not by name. */
function label(row: NamedRow): string {
  return /^\d{4}-\d\d-\d\d/.test(row.key) ? row.key : row.name;
}

/** The order after a click on a column: the other way round, or by what one looks for first there. */
export function sortBy(sorting: Sorting, column: Column): Sorting {
  if (sorting.column === column) return { column, isDescending: !sorting.isDescending };
  return { column, isDescending: column !== "name" };
}
