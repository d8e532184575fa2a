import { createEffect, createSignal, onCleanup, untrack, type Accessor } from "solid-js";

/** What follows a source may use this share of the time at most. */
const SHARE = 4;

/** However long it takes, it is done this often. */
const MAX_PAUSE_MS = 400;

/** A text, and whether more of it may come. */
export interface Growing {
  readonly text: string;
  readonly streaming: boolean;
}

/**
 * A text that grows, taken at most once a frame, and less often where what follows from it takes long: painting included, a quarter of the
 * time. When it no longer grows it is there at once. A page that is not seen has no frames, and takes nothing. What hangs on the result
 * hears nothing of the changes in between.
 */
export function createPaced(source: Accessor<Growing>): Accessor<Growing> {
  const [value, setValue] = createSignal(untrack(source));
  let request: number | undefined;
  let notBefore = 0;

  function onFrame(): void {
    const start = performance.now();
    if (start < notBefore) {
      request = requestAnimationFrame(onFrame);
      return;
    }
    request = undefined;
    setValue(untrack(source));
    // The next task comes after the frame was painted.
    setTimeout(() => {
      const end = performance.now();
      notBefore = end + Math.min((end - start) * (SHARE - 1), MAX_PAUSE_MS);
    });
  }

  function cancel(): void {
    if (request !== undefined) cancelAnimationFrame(request);
    request = undefined;
  }

  createEffect(() => {
    const now = source();
    const shown = untrack(value);
    if (now.text === shown.text && now.streaming === shown.streaming) return;
    if (now.streaming) request ??= requestAnimationFrame(onFrame);
    else {
      cancel();
      setValue(now);
    }
  });
  onCleanup(cancel);
  return value;
}
