import { createSignal, type Accessor } from "solid-js";
import type { Texts } from "../../texts/english.ts";
import { dragging, glide, isRtl } from "./drag.ts";
import { cornerByKey, cornerSeen, nearestCorner, sideSeen, type Corner } from "./geometry.ts";
import type { PlacementControl } from "./placement.ts";

/** What takes the launcher or the window to another corner. A pinned chat has sides only. */
export interface Mover {
  /** What has been done, for a screen reader. */
  readonly announcement: Accessor<string>;
  /** A listener of `pointerdown` on what `target` is dragged by. */
  drag(target: () => HTMLElement): (event: PointerEvent) => void;
  /** Alt and an arrow key move `target`. */
  onKeyDown(event: KeyboardEvent, target: HTMLElement): void;
}

export const MOVE_KEYS = "Alt+ArrowUp Alt+ArrowDown Alt+ArrowLeft Alt+ArrowRight";

/** On a screen as narrow as this an open chat takes all of it; as in the style sheet. */
const NARROW = "(max-width: 45.99rem)";

export function makeMover(control: PlacementControl, texts: Accessor<Texts>): Mover {
  const [announcement, setAnnouncement] = createSignal("");
  const isPinned = () => control.placement() === "pinned";
  const isFixed = () => control.placement() !== "minimised" && matchMedia(NARROW).matches;

  function move(target: HTMLElement, to: Corner): void {
    const from = target.getBoundingClientRect();
    target.style.translate = "";
    control.moveTo(isPinned() ? { ...to, block: control.corner().block } : to);
    glide(target, from);
    const rtl = isRtl(target);
    const { pinnedTo, movedTo } = texts().collapsible;
    setAnnouncement(isPinned() ? pinnedTo[sideSeen(to, rtl)] : movedTo[cornerSeen(to, rtl)]);
  }

  return {
    announcement,

    drag: (target) =>
      dragging({
        // What can be pressed inside is pressed.
        pressed: (event) => !isFixed() && (event.currentTarget === target() || (event.target as Element).closest("button, a, select") === null),
        moved: ({ x, y }) => (target().style.translate = `${x}px ${isPinned() ? 0 : y}px`),
        dropped() {
          const { x, y, width, height } = target().getBoundingClientRect();
          const middle = { x: x + width / 2, y: y + height / 2 };
          move(target(), nearestCorner(control.corner(), middle, { width: innerWidth, height: innerHeight }, isRtl(target())));
        },
        cancelled: () => move(target(), control.corner()),
      }),

    onKeyDown(event, target) {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented || isFixed()) return;
      const to = cornerByKey(control.corner(), event.key, isRtl(target));
      if (to === undefined) return;
      // Alt with an arrow goes back in the browser's history otherwise.
      event.preventDefault();
      move(target, to);
    },
  };
}
