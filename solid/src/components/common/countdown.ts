import { createEffect, createSignal, on, onCleanup, type Accessor } from "solid-js";
import { pageClock } from "../../chat/ids.ts";
import { secondsUntil } from "../../format/numbers.ts";

/** The whole seconds until a point in time (milliseconds since the epoch), down to 0; 0 where there is none. */
export function createCountdown(until: Accessor<number | undefined>, clock: () => number = pageClock): Accessor<number> {
  const left = () => {
    const end = until();
    return end === undefined ? 0 : secondsUntil(end, clock());
  };
  const [seconds, setSeconds] = createSignal(left());
  createEffect(
    on(until, () => {
      setSeconds(left());
      if (seconds() === 0) return;
      const timer = setInterval(() => {
        if (setSeconds(left()) === 0) clearInterval(timer);
      }, TICK_MS);
      onCleanup(() => clearInterval(timer));
    }),
  );
  return seconds;
}

const TICK_MS = 250;
