import type { Texts } from "../texts/english.ts";

export interface Times {
  /** The time of day of a point in time, in milliseconds since the epoch. */
  timeOfDay(at: number): string;
  /** A point in time in full: `23 Nov 2026, 12:00`. */
  dateAndTime(at: number): string;
  /** The time today, the day this year, the date before that. */
  shortDate(at: number, now: number): string;
  /** A month: `October 2026`. */
  monthName(at: number): string;
  /** A point in time to come in words: `today at 18:00`, `tomorrow at 01:00`, `on 1 Dec at 01:00`. */
  whenWords(at: number, now: number): string;
  /** A day in UTC: `Thu, 26 Nov`. */
  dayName(at: number): string;
  /** The same where there is little room: `26 Nov`. */
  shortDayName(at: number): string;
}

/** How points in time are written in a locale; where there is none, as the browser is set. */
export function makeTimes(locale: string | undefined, texts: Texts["time"]): Times {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  const clockTime = format({ hour: "2-digit", minute: "2-digit" });
  const dayAndMonth = format({ day: "numeric", month: "short" });
  const fullDate = format({ day: "numeric", month: "short", year: "numeric" });
  const dateAndTime = format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const monthName = format({ month: "long", year: "numeric" });
  const dayName = format({ weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  const shortDayName = format({ day: "numeric", month: "short", timeZone: "UTC" });
  return {
    timeOfDay: (at) => clockTime.format(at),
    dateAndTime: (at) => dateAndTime.format(at),
    shortDate(at, now) {
      const then = new Date(at);
      const today = new Date(now);
      if (then.toDateString() === today.toDateString()) return clockTime.format(at);
      return (then.getFullYear() === today.getFullYear() ? dayAndMonth : fullDate).format(at);
    },
    monthName: (at) => monthName.format(at),
    whenWords(at, now) {
      const time = clockTime.format(at);
      const day = new Date(at).toDateString();
      const tomorrow = new Date(now);
      tomorrow.setDate(tomorrow.getDate() + 1);
      if (day === new Date(now).toDateString()) return texts.today(time);
      return day === tomorrow.toDateString() ? texts.tomorrow(time) : texts.onDay(dayAndMonth.format(at), time);
    },
    dayName: (at) => dayName.format(at),
    shortDayName: (at) => shortDayName.format(at),
  };
}
