import type { Amount } from "../texts/amount.ts";
import type { Texts } from "../texts/english.ts";

const NANO = 1_000_000_000;

export interface Numbers {
  /** Nano-dollars as dollars, with as many digits as say something: `$0`, `<$0.0001`, `$0.0024`, `$0.042`, `$1.27`. */
  formatCost(nanoUsd: number): string;
  /** Nano-dollars as dollars to the last digit, without rounding: `$0.0024`. */
  formatExactCost(nanoUsd: number): string;
  /** Nano-dollars per million tokens as dollars: `$3`, `$0.25`. */
  formatPrice(nanoUsdPerMillion: number): string;
  /** Dollars for the axis of a chart: `$0.005`. */
  formatDollars(usd: number): string;
  /** A count: `9,876` up to ten thousand, `12.3K` and `1.2M` above. */
  formatCount(count: number): string;
  /** A count in full: `1,234,567`. */
  formatWhole(count: number): string;
  /** A count for a text that tells it, written as by `formatCount`. */
  countOf(count: number): Amount;
  /** The same, written in full. */
  wholeOf(count: number): Amount;
  /** A span of time: `850 ms`, `1.4 s`, `2 min 5 s`. */
  formatDuration(ms: number): string;
  /** A wait in whole seconds: `12 s`, `5 min`, `3 h 20 min`; never less than is left. */
  formatWait(seconds: number): string;
  /** A size: `640 bytes`, `12 KB`, `1.4 MB`, in units of 1,024. */
  formatBytes(bytes: number): string;
}

/** How numbers are written in a locale. */
export function makeNumbers(locale: string, units: Texts["units"]): Numbers {
  const whole = new Intl.NumberFormat(locale);
  const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const dollars = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, { style: "currency", currency: "USD", ...options });
  const fixed = [0, 1, 2, 3, 4].map((digits) => dollars({ minimumFractionDigits: digits, maximumFractionDigits: digits }));
  const price = dollars({ minimumFractionDigits: 0, maximumFractionDigits: 4 });
  const exact = dollars({ minimumFractionDigits: 0, maximumFractionDigits: 9 });
  const axis = dollars({ maximumSignificantDigits: 3 });
  const inDollars = (usd: number, digits: number) => (fixed[digits] ?? exact).format(usd);

  const formatWhole = (count: number) => whole.format(count);
  const formatCount = (count: number) => (count < 10_000 ? whole : compact).format(count);
  const amount = (value: number, shown: string): Amount => ({ value, toString: () => shown });

  return {
    formatCost(nanoUsd) {
      const usd = nanoUsd / NANO;
      if (usd === 0) return inDollars(0, 0);
      if (usd < 0.0001) return `<${inDollars(0.0001, 4)}`;
      return inDollars(usd, usd < 0.01 ? 4 : usd < 1 ? 3 : 2);
    },
    formatExactCost: (nanoUsd) => exact.format(nanoUsd / NANO),
    formatPrice: (nanoUsdPerMillion) => price.format(nanoUsdPerMillion / NANO),
    formatDollars: (usd) => axis.format(usd),
    formatCount,
    formatWhole,
    countOf: (count) => amount(count, formatCount(count)),
    wholeOf: (count) => amount(count, formatWhole(count)),
    formatDuration(ms) {
      if (ms < 999.5) return units.milliseconds(whole.format(Math.round(ms)));
      if (ms < 59_950) return units.seconds(tenths.format(ms / 1_000));
      const seconds = Math.round(ms / 1_000);
      return units.minutesAndSeconds(whole.format(Math.floor(seconds / 60)), whole.format(seconds % 60));
    },
    formatWait(seconds) {
      if (seconds <= 90) return units.seconds(whole.format(seconds));
      const minutes = Math.ceil(seconds / 60);
      if (minutes < 60) return units.minutes(whole.format(minutes));
      const [hours, rest] = [whole.format(Math.floor(minutes / 60)), minutes % 60];
      return rest === 0 ? units.hours(hours) : units.hoursAndMinutes(hours, whole.format(rest));
    },
    formatBytes(bytes) {
      if (bytes < 1_024) return units.bytes(amount(bytes, formatWhole(bytes)));
      if (bytes < 1_000 * 1_024) return units.kilobytes(whole.format(Math.round(bytes / 1_024)));
      return units.megabytes(tenths.format(bytes / 1_048_576));
    },
  };
}

/** Nano-dollars as dollars to the last digit, for machines: without a sign, rounding or separators, `0.0024`. */
export function exactCost(nanoUsd: number): string {
  const dollars = Math.floor(nanoUsd / NANO);
  const fraction = String(nanoUsd % NANO).padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? String(dollars) : `${dollars}.${fraction}`;
}

/** How long a text is, in Unicode scalar values: what the proxy counts. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Seconds still to wait, rounded up, never negative. */
export function secondsUntil(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1_000));
}

/** The middle value, or the mean of the two in the middle; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted.length % 2 === 0 ? sorted[middle - 1] : upper;
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
