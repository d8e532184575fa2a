const whole = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

const NANO = 1_000_000_000;

/**
 * Nano-dollars as dollars, with as many digits as say something: `$0`, `<$0.0001`, `$0.0024`, `$0.042`, `$1.27`.
 */
export function formatCost(nanoUsd: number): string {
  const usd = nanoUsd / NANO;
  if (usd === 0) return "$0";
  if (usd < 0.0001) return "<$0.0001";
  const digits = usd < 0.01 ? 4 : usd < 1 ? 3 : 2;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** Nano-dollars as dollars to the last digit, without a sign or rounding: `0.0024`. */
export function exactCost(nanoUsd: number): string {
  const dollars = Math.floor(nanoUsd / NANO);
  const fraction = String(nanoUsd % NANO).padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? String(dollars) : `${dollars}.${fraction}`;
}

/** Nano-dollars per million tokens as dollars: `$3`, `$0.25`. */
export function formatPrice(nanoUsdPerMillion: number): string {
  return `$${(nanoUsdPerMillion / NANO).toLocaleString("en-US", { maximumFractionDigits: 4 })}`;
}

/** A count: `9,876` up to ten thousand, `12.3K` and `1.2M` above. */
export function formatCount(count: number): string {
  return count < 10_000 ? whole.format(count) : compact.format(count);
}

/** A count in full: `1,234,567`. */
export function formatWhole(count: number): string {
  return whole.format(count);
}

/** A count with its noun: `1 answer`, `2 answers`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A span of time: `850 ms`, `1.4 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A wait in whole seconds: `12 s`, `5 min`, `3 h 20 min`; never less than is left. */
export function formatWait(seconds: number): string {
  if (seconds <= 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? "" : ` ${rest} min`}`;
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

/** A size: `640 bytes`, `12 KB`, `1.4 MB`, in units of 1,024. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return formatPlural(bytes, "byte");
  if (bytes < 1_000 * 1_024) return `${whole.format(Math.round(bytes / 1_024))} KB`;
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
