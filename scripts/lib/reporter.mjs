// Progress for people. On a terminal: one live line with what is running, for how long, and the last line it printed. In a log:
// a line when a step starts, when it ends, and every 20 seconds between.

const HEARTBEAT_MS = 20_000;
const FRAME_MS = 120;
const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const NAME_WIDTH = 46;

export class Reporter {
  constructor(out = process.stdout) {
    this.out = out;
    this.live = Boolean(out.isTTY) && !process.env.CI;
    this.running = new Map();
    this.frame = 0;
    this.timer = null;
  }

  say(line) {
    this.#clear();
    this.out.write(`${line}\n`);
    this.#draw();
  }

  /** A step begins; `step.lastLine` is read while it runs. */
  started(step) {
    this.running.set(step, { since: performance.now(), saidAt: performance.now() });
    if (!this.live) this.say(`… ${step.title}`);
    this.timer ??= setInterval(() => this.#tick(), this.live ? FRAME_MS : 1_000);
  }

  /** A step ended; returns how long it took, in milliseconds. */
  ended(step, mark, note = "") {
    const tookMs = performance.now() - this.running.get(step).since;
    this.running.delete(step);
    if (this.running.size === 0) {
      clearInterval(this.timer);
      this.timer = null;
    }
    this.say(`${mark} ${step.title.padEnd(NAME_WIDTH)} ${duration(tookMs).padStart(7)}${note === "" ? "" : `  ${note}`}`);
    return tookMs;
  }

  skipped(title) {
    this.say(`✓ ${title.padEnd(NAME_WIDTH)} up to date`);
  }

  #tick() {
    if (this.live) {
      this.frame += 1;
      this.#clear();
      this.#draw();
      return;
    }
    const now = performance.now();
    for (const [step, times] of this.running) {
      if (now - times.saidAt < HEARTBEAT_MS) continue;
      times.saidAt = now;
      this.say(`  ${step.title}: ${duration(now - times.since)} so far · ${step.lastLine.slice(0, 100)}`);
    }
  }

  #clear() {
    if (this.live) this.out.write("\r\u001b[2K");
  }

  #draw() {
    if (!this.live || this.running.size === 0) return;
    const now = performance.now();
    const parts = [...this.running].map(([step, { since }]) => `${step.title} ${duration(now - since)}`);
    const newest = [...this.running.keys()].at(-1).lastLine;
    const line = `${SPINNER[this.frame % SPINNER.length]} ${parts.join(" | ")} · ${newest}`;
    this.out.write(line.slice(0, Math.max(20, (this.out.columns || 80) - 1)));
  }
}

/** `850 ms`, `12 s`, `3m 07s`. */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}
