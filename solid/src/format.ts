/** How the components write costs, counts, durations, models and budgets, for pages that write such figures themselves. */
export * from "./format/budgets.ts";
export * from "./format/models.ts";
export * from "./format/numbers.ts";
export * from "./format/time.ts";
export * from "./format/usage.ts";
