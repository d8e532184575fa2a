import type { GroupBy } from "@outcrop/client";
import type { Times } from "../../format/time.ts";

/** The spans of time that a person can choose. Days are UTC, as budgets and the proxy's rows are. */
export const RANGES = ["today", "7d", "30d", "month"] as const;
export type Range = (typeof RANGES)[number];

/** What a bar of the charts stands for. */
export type Step = Extract<GroupBy, "day" | "hour">;

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Where a range begins, in milliseconds since the epoch: always at the beginning of a day. */
export function rangeStart(range: Range, now: number): number {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  switch (range) {
    case "today":
      return today;
    case "7d":
      return today - 6 * DAY_MS;
    case "30d":
      return today - 29 * DAY_MS;
    case "month": {
      const date = new Date(now);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    }
  }
}

export function stepOf(range: Range): Step {
  return range === "today" ? "hour" : "day";
}

/** The key that the proxy gives the row of a point in time: `2026-11-26` or `2026-11-26T09:00Z`. */
export function stepKey(at: number, step: Step): string {
  const text = new Date(at).toISOString();
  return step === "day" ? text.slice(0, 10) : `${text.slice(0, 13)}:00Z`;
}

/** The keys of every step between two points in time, those in which nothing was used too. */
export function stepsBetween(from: string, to: string, step: Step): string[] {
  const length = step === "day" ? DAY_MS : HOUR_MS;
  const end = Date.parse(to);
  const keys: string[] = [];
  for (let at = Math.floor(Date.parse(from) / length) * length; at < end; at += length) keys.push(stepKey(at, step));
  return keys;
}

/** A day or an hour in words: `Thu, 26 Nov` or `09:00`. */
export function stepName(key: string, { dayName }: Pick<Times, "dayName">): string {
  const hour = /T(\d\d:\d\d)Z$/.exec(key)?.[1];
  if (hour !== undefined) return hour;
  const at = Date.parse(key);
  return Number.isNaN(at) ? key : dayName(at);
}

/** The same for the axis of a chart, where there is little room. */
export function shortStepName(key: string, { dayName, shortDayName }: Pick<Times, "dayName" | "shortDayName">): string {
  return key.includes("T") ? stepName(key, { dayName }) : shortDayName(Date.parse(key));
}
