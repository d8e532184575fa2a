/** A side along an axis of the text: `start` is the top, or the left where text runs from left to right. */
export type Side = "start" | "end";

/** The corner of the page that the chat is in. */
export interface Corner {
  block: Side;
  inline: Side;
}

/** In rem, so that it grows with the text; or in pixels where a name says so. */
export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** The smallest window in which a conversation can be read. */
export const MIN_SIZE: Size = { width: 20, height: 24 };

/** Between a floating window and the edges of the page, in rem; `--oc-gap` of the style sheet. */
const GAP = 1.25;

/** What a pinned chat leaves of the page at least, in rem. */
export const MIN_PAGE = 20;

/** How far beyond the middle, in pixels, before a drag counts as one to the other side. */
const SLACK_PX = 24;

/** The corner where something is let go whose middle is at `middlePx`; near the middle of the page it stays on its side. */
export function nearestCorner(from: Corner, middlePx: Point, viewportPx: Size, rtl: boolean): Corner {
  const inline = towards(mirrored(from.inline, rtl), middlePx.x, viewportPx.width);
  return { block: towards(from.block, middlePx.y, viewportPx.height), inline: mirrored(inline, rtl) };
}

/** The corner that an arrow key leads to, which may be the same; none for other keys. */
export function cornerByKey(from: Corner, key: string, rtl: boolean): Corner | undefined {
  switch (key) {
    case "ArrowUp": return { ...from, block: "start" };
    case "ArrowDown": return { ...from, block: "end" };
    case "ArrowLeft": return { ...from, inline: mirrored("start", rtl) };
    case "ArrowRight": return { ...from, inline: mirrored("end", rtl) };
    default: return undefined;
  }
}

/** The corner as people see it. */
export function cornerSeen(corner: Corner, rtl: boolean) {
  return `${corner.block === "start" ? "top" : "bottom"}${sideSeen(corner, rtl) === "left" ? "Left" : "Right"}` as const;
}

export function sideSeen(corner: Corner, rtl: boolean): "left" | "right" {
  return mirrored(corner.inline, rtl) === "start" ? "left" : "right";
}

/** A window in `corner` whose free corner has moved by so many rem: it grows away from its own corner. */
export function resized(size: Size, by: Point, corner: Corner, rtl: boolean): Size {
  return {
    width: size.width + (mirrored(corner.inline, rtl) === "end" ? -by.x : by.x),
    height: size.height + (corner.block === "end" ? -by.y : by.y),
  };
}

/** The largest floating window on a page of this many rem. */
export function maxSize(viewport: Size): Size {
  return { width: Math.max(MIN_SIZE.width, viewport.width - 2 * GAP), height: Math.max(MIN_SIZE.height, viewport.height - 2 * GAP) };
}

/** The widest pinned chat on a page of this many rem. */
export function maxDock(viewportWidth: number): number {
  return Math.max(MIN_SIZE.width, viewportWidth - MIN_PAGE);
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

function mirrored(side: Side, rtl: boolean): Side {
  return rtl === (side === "start") ? "end" : "start";
}

function towards(from: Side, middle: number, extent: number): Side {
  const beyond = middle - extent / 2;
  return from === "end" ? (beyond < -SLACK_PX ? "start" : "end") : beyond > SLACK_PX ? "end" : "start";
}
