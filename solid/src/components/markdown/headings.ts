import { createContext, type Accessor } from "solid-js";
import type { Block } from "./parse.ts";

/** The level of an answer's first heading: the page has two levels of its own above it. */
const TOP = 3;

/** The depth of the first heading of the text, as the author counts. */
export const FirstDepth = createContext<Accessor<number>>(() => 1);

/** How deep the first heading is; authors begin with `#`, `##` or `###` as they please. */
export function firstDepth(blocks: readonly Block[]): number {
  const first = blocks.find(({ token }) => token.type === "heading")?.token;
  return first?.type === "heading" ? first.depth : 1;
}

/** The element for a heading: the first is of the third level, deeper ones below it, none above it. */
export function headingTag(depth: number, first: number): "h3" | "h4" | "h5" | "h6" {
  return (["h3", "h4", "h5", "h6"] as const)[Math.max(0, Math.min(depth - first, 6 - TOP))] ?? "h6";
}
