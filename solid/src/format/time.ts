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

/** A point in time to come in words: `today at 18:00`, `tomorrow at 01:00`, `on 1 Dec at 01:00`. */
export function whenWords(at: number, now: number): string {
  const time = clockTime.format(at);
  const day = new Date(at).toDateString();
  const tomorrow = new Date(now);
  tomorrow.setDate(tomorrow.getDate() + 1);
  if (day === new Date(now).toDateString()) return `today at ${time}`;
  return day === tomorrow.toDateString() ? `tomorrow at ${time}` : `on ${dayAndMonth.format(at)} at ${time}`;
}
