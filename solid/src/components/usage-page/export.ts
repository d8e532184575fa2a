import type { UsageResponse, UsageSum } from "@outcrop/client";
import { exactCost } from "../../format/numbers.ts";
import type { Group } from "./report.ts";
import type { NamedRow } from "./rows.ts";

const HEADER = [
  "answers",
  "calls",
  "estimated_calls",
  "unpriced_calls",
  "tool_calls",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cache_write_1h_tokens",
  "total_tokens",
  "cost_usd",
];

/** What the table shows, in its order, with the total last: RFC 4180. A cost that is unknown is empty, not 0. */
export function toCsv(group: Group, rows: readonly NamedRow[], total: UsageSum): string {
  const lines = [[group, "name", ...HEADER], ...rows.map((row) => [row.key, row.name, ...fields(row)]), ["total", "", ...fields(total)]];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

/** The same as JSON, costs in nano-dollars as the proxy gave them. */
export function toJson(group: Group, rows: readonly NamedRow[], { from, to, total, budgets }: UsageResponse): string {
  return `${JSON.stringify({ from, to, groupBy: group, rows, total, budgets }, null, 2)}\n`;
}

function fields({ turns, calls, estimatedCalls, unpricedCalls, toolCalls, usage }: UsageSum): string[] {
  const tokens = [usage.inputTokens, usage.outputTokens, usage.cacheReadInputTokens, usage.cacheWriteInputTokens, usage.cacheWrite1hInputTokens ?? 0];
  const cost = usage.costNanoUsd === undefined ? "" : exactCost(usage.costNanoUsd);
  return [...[turns, calls, estimatedCalls, unpricedCalls, toolCalls, ...tokens, usage.totalTokens].map(String), cost];
}

/** A field in quotes where it needs them. A title is a person's text: a spreadsheet must not take it for a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Gives a person a file. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
