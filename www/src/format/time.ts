const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

/** The time of day of a point in time, in milliseconds since the epoch. */
export function timeOfDay(at: number): string {
  return clockTime.format(at);
}

/** The time today, the day this year, the date before that. */
export function shortDate(at: number, now: number): string {
  const then = new Date(at);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) return clockTime.format(at);
  return (then.getFullYear() === today.getFullYear() ? dayAndMonth : fullDate).format(at);
}
