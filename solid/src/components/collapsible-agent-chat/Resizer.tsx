import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { dragging, isRtl } from "./drag.ts";
import { clamp, maxDock, maxSize, MIN_SIZE, resized, type Point, type Size } from "./geometry.ts";
import type { PlacementControl } from "./placement.ts";

/** By how much an arrow key resizes, in rem. */
const STEP = 2;

const ARROWS: Record<string, Point> = {
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
};

/** The handle in the free corner of a floating window, or at the free edge of a pinned chat. */
export function Resizer(props: { control: PlacementControl }) {
  const texts = useTexts();
  const formats = useFormats();
  const isPinned = () => props.control.placement() === "pinned";
  let handle!: HTMLDivElement;
  let before: Size;

  /** What the page shows of the size that was wished. */
  function shown(): Size {
    const { size, dockWidth } = props.control;
    return bounded(isPinned() ? { width: dockWidth(), height: size().height } : size());
  }

  function most(): Size {
    const page = { width: innerWidth / remPx(), height: innerHeight / remPx() };
    return isPinned() ? { ...maxSize(page), width: maxDock(page.width) } : maxSize(page);
  }

  function bounded({ width, height }: Size): Size {
    return { width: clamp(width, MIN_SIZE.width, most().width), height: clamp(height, MIN_SIZE.height, most().height) };
  }

  function resize(from: Size, by: Point): void {
    props.control.resize(bounded(resized(from, by, props.control.corner(), isRtl(handle))));
  }

  const onPointerDown = dragging({
    pressed() {
      before = shown();
      return true;
    },
    moved: ({ x, y }) => resize(before, { x: x / remPx(), y: y / remPx() }),
    dropped: () => props.control.remember(),
    cancelled: () => props.control.resize(before),
  });

  function onKeyDown(event: KeyboardEvent): void {
    const by = ARROWS[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey || (isPinned() && by.x === 0)) return;
    event.preventDefault();
    resize(shown(), by);
    props.control.remember();
  }

  function words(): string {
    const { width, height } = shown();
    const pixels = (rem: number) => formats().countOf(Math.round(rem * remPx()));
    return isPinned() ? texts().collapsible.wide(pixels(width)) : texts().collapsible.large(pixels(width), pixels(height));
  }

  return (
    <div
      ref={handle}
      class="oc-resizer"
      role="separator"
      tabindex="0"
      aria-label={isPinned() ? texts().collapsible.width : texts().collapsible.size}
      aria-orientation="vertical"
      aria-valuemin={MIN_SIZE.width}
      aria-valuemax={Math.round(most().width)}
      aria-valuenow={Math.round(shown().width)}
      aria-valuetext={words()}
      title={texts().collapsible.resize}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}

function remPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
