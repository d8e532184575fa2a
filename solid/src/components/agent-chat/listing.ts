import type { Texts } from "../../texts/english.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Under which heading something of a point in time stands: by how many days it is before today, in local time, and by its month. */
export function headingOf(at: number, today: number, words: Texts["sessions"]["days"], monthName: (at: number) => string): string {
  const days = dayNumber(today) - dayNumber(at);
  if (days <= 0) return words.today;
  if (days === 1) return words.yesterday;
  if (days <= 7) return words.week;
  return days <= 30 ? words.month : monthName(at);
}

/** Days of the calendar, counted: of which some have 23 or 25 hours. */
function dayNumber(at: number): number {
  const day = new Date(at);
  return Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) / DAY_MS;
}

/** A text as it is looked for: without marks and capitals. */
export function folded(text: string): string {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}
