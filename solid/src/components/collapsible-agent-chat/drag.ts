import type { Point } from "./geometry.ts";

export interface DragHandlers {
  /** A press: whether it may become a drag. */
  pressed(event: PointerEvent): boolean;
  /** The pointer is this many pixels from where it was pressed. */
  moved(by: Point): void;
  dropped(by: Point): void;
  /** The drag was given up, with Esc or by the system: all is as it was before. */
  cancelled(): void;
}

/** A press that moves less is a click. */
const CLICK_PX = 6;

/** Makes a listener of `pointerdown` that turns a press into a drag of that element. The click at the end of a drag is swallowed. */
export function dragging(handlers: DragHandlers): (event: PointerEvent) => void {
  return (press) => {
    if (press.button !== 0 || !press.isPrimary || !handlers.pressed(press)) return;
    const element = press.currentTarget as HTMLElement;
    const listening = new AbortController();
    const options = { signal: listening.signal };
    let begun = false;
    const by = (event: PointerEvent): Point => ({ x: event.clientX - press.clientX, y: event.clientY - press.clientY });

    function cancel(): void {
      listening.abort();
      if (begun) handlers.cancelled();
    }

    element.setPointerCapture(press.pointerId);
    element.addEventListener("pointermove", (event) => {
      const distance = by(event);
      begun ||= Math.hypot(distance.x, distance.y) >= CLICK_PX;
      if (begun) handlers.moved(distance);
    }, options);
    element.addEventListener("pointerup", (event) => {
      listening.abort();
      if (!begun) return;
      swallowClick(element);
      handlers.dropped(by(event));
    }, options);
    element.addEventListener("pointercancel", cancel, options);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !begun || !element.hasPointerCapture(press.pointerId)) return;
      event.preventDefault();
      event.stopPropagation();
      swallowClick(element);
      cancel();
    }, { ...options, capture: true });
  };
}

function swallowClick(element: HTMLElement): void {
  const swallow = (event: Event) => event.stopImmediatePropagation();
  element.addEventListener("click", swallow, { capture: true, once: true });
  const stop = () => setTimeout(() => element.removeEventListener("click", swallow, { capture: true }));
  element.addEventListener("lostpointercapture", stop, { once: true });
}

/** Lets an element glide from where it was to where it is, for those who do not mind motion. */
export function glide(element: HTMLElement, from: DOMRect): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const to = element.getBoundingClientRect();
  element.animate([{ translate: `${from.x - to.x}px ${from.y - to.y}px` }, { translate: "0 0" }], { duration: 160, easing: "ease-out" });
}

export const isRtl = (element: Element): boolean => getComputedStyle(element).direction === "rtl";
