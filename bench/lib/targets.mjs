// The figures, and what each must reach (the product needs it) and aims at (where it is going).
//
// A bound is either `max` (our figure, in the row's unit) or `lessThanOther` (how many times less than the other's).

export const FIGURES = [
  figure("cpu-burst", "CPU time of the server per token, 50 streams as fast as they come", "µs", { lessThanOther: 10 }, { max: 1 }),
  figure("cpu-paced", "the same, 500 streams at 50 tokens/s", "µs", { lessThanOther: 2 }, { max: 20 }),
  figure("syscalls-burst", "system calls per token, one stream in a burst", "", { max: 0.1 }, { max: 0.03 }),
  figure("syscalls-paced", "the same, 50 streams at 50 tokens/s", "", { max: 2.7 }, { max: 2.4 }),
  figure("instructions-burst", "instructions per token in user mode, one stream in a burst", "", { max: 20_000 }, { max: 4_000 }),
  figure("instructions-paced", "the same, 10 streams at 50 tokens/s", "", { max: 26_000 }, { max: 9_000 }),
  figure("cpu-turn", "CPU time per one-token turn", "µs", { lessThanOther: 5 }, { max: 150 }),
  figure("first-token", "time to first token, added to Bedrock's own, median", "ms", { max: 0.8 }, { max: 0.2 }),
  figure("store-first-token", "the same, added by the store in SQLite to that in memory", "ms", { max: 2 }, { max: 0.5 }),
  figure("latency-median", "latency per token, added to Bedrock's own, 500 streams at 50 tokens/s, median", "ms", { max: 1 }, { max: 0.3 }),
  figure("latency-p99", "the same, 99th percentile", "ms", { max: 10 }, { max: 2 }),
  figure("memory-fresh", "memory of a fresh process", "MiB", { max: 20 }, { max: 10 }),
  figure("memory-socket", "memory per idle socket, of 5,000", "KiB", { max: 16 }, { max: 8 }),
  figure("memory-idle", "memory with 5,000 idle sockets", "MiB", { max: 100 }, { max: 60 }),
  figure("size", "what a browser loads for the client, by brotli", "kB", { max: 45 }, { max: 20 }),
  figure("assemble", "main-thread time for 100,000 tokens, one update per frame", "ms", { lessThanOther: 1 }, { lessThanOther: 2 }),
  figure("page-bytes", "what a browser loads for a chat page, by brotli", "kB", { max: 100 }, { lessThanOther: 1 }),
  figure("page-paint", "first paint of this page on a slow phone", "ms", { max: 2_000 }, { lessThanOther: 1 }),
  figure("page-composer", "until its composer takes keys", "ms", { max: 2_000 }, { lessThanOther: 1 }),
  figure("page-ready", "until a question goes out at once", "ms", { max: 3_000 }, { lessThanOther: 1 }),
  figure("page-paced", "main-thread time of this page per 1,000 tokens of Markdown at 100 tokens/s", "ms", { lessThanOther: 1 }, { lessThanOther: 2 }),
  figure("page-burst", "the same, as fast as they come", "ms", { lessThanOther: 1 }, { lessThanOther: 2 }),
];

/** Whether our figure keeps a bound; null where the other's figure is missing and the bound needs it. */
export function met(bound, ours, other) {
  if (bound.max !== undefined) return ours <= bound.max;
  return other === undefined ? null : other / ours >= bound.lessThanOther;
}

/** A bound as people read it. */
export function boundText(bound, unit) {
  if (bound.max !== undefined) return `${bound.max.toLocaleString("en-US")}${unit && ` ${unit}`}`;
  return bound.lessThanOther === 1 ? "no more" : `${bound.lessThanOther} × less`;
}

function figure(id, title, unit, reach, aim) {
  return { id, title, unit, reach, aim };
}
