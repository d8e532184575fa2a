import { createEffect, createSignal, onCleanup, untrack, type Accessor } from "solid-js";

/** What follows a source may use this share of the time at most. */
const SHARE = 4;

/** However long it takes, it is done this often. */
const MAX_PAUSE_MS = 400;

/**
 * The value of `source`, taken at most once a frame while `live` is true, and less often where what follows from it takes long: painting
 * included, a quarter of the time. When it is no longer live the value is there at once. A page that is not seen has no frames, and takes
 * nothing.
 */
export function createPaced<T>(source: Accessor<T>, live: Accessor<boolean>): Accessor<T> {
  const [value, setValue] = createSignal<T>(untrack(source));
  let request: number | undefined;
  let notBefore = 0;

  function onFrame(): void {
    const start = performance.now();
    if (start < notBefore) {
      request = requestAnimationFrame(onFrame);
      return;
    }
    request = undefined;
    setValue(() => untrack(source));
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
    if (!live()) {
      cancel();
      setValue(() => now);
    } else if (now !== untrack(value)) {
      request ??= requestAnimationFrame(onFrame);
    }
  });
  onCleanup(cancel);
  return value;
}
