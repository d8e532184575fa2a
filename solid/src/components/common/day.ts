import { createSignal, onCleanup, type Accessor } from "solid-js";

/** The longest wait before the clock is looked at again: the timers of a computer that sleeps stand still. */
const MAX_WAIT_MS = 15 * 60_000;

/** The beginning of today, in local time and milliseconds since the epoch; the next day's from midnight on. */
export function createToday(clock: () => number): Accessor<number> {
  const [today, setToday] = createSignal(midnight(clock(), 0));
  let timer: ReturnType<typeof setTimeout>;

  function look(): void {
    const now = clock();
    setToday(midnight(now, 0));
    timer = setTimeout(look, Math.min(midnight(now, 1) - now, MAX_WAIT_MS));
  }

  look();
  onCleanup(() => clearTimeout(timer));
  return today;
}

/** The beginning of the day that is so many days after the one of a point in time. */
function midnight(at: number, daysAfter: number): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + daysAfter).getTime();
}
