import { describe, expect, it } from "vitest";
import { cornerByKey, cornerSeen, maxDock, maxSize, nearestCorner, resized, type Corner, type Side } from "./geometry.ts";

const PAGE = { width: 1000, height: 800 };
const corner = (block: Side, inline: Side): Corner => ({ block, inline });

describe("the corner of the chat", () => {
  it("is the one where it is let go", () => {
    const from = corner("end", "end");
    const at = (x: number, y: number, rtl = false) => nearestCorner(from, { x, y }, PAGE, rtl);
    expect(at(100, 100)).toEqual(corner("start", "start"));
    expect(at(100, 700)).toEqual(corner("end", "start"));
    expect(at(900, 100)).toEqual(corner("start", "end"));
    expect(at(900, 700)).toEqual(from);
    expect(at(900, 100, true)).toEqual(corner("start", "start"));
    expect(at(100, 700, true)).toEqual(from);
  });

  it("stays on its side near the middle, where a window lies that fills the page", () => {
    for (const from of [corner("start", "start"), corner("end", "end")]) {
      for (const off of [-24, 0, 24]) expect(nearestCorner(from, { x: 500 + off, y: 400 + off }, PAGE, false)).toEqual(from);
    }
    expect(nearestCorner(corner("end", "end"), { x: 475, y: 400 }, PAGE, false)).toEqual(corner("end", "start"));
    expect(nearestCorner(corner("start", "start"), { x: 500, y: 425 }, PAGE, false)).toEqual(corner("end", "start"));
    expect(nearestCorner(corner("end", "end"), { x: 500, y: 400 }, PAGE, true)).toEqual(corner("end", "end"));
  });

  it("follows arrow keys as people see them", () => {
    const from = corner("end", "end");
    expect(cornerByKey(from, "ArrowUp", false)).toEqual(corner("start", "end"));
    expect(cornerByKey(from, "ArrowLeft", false)).toEqual(corner("end", "start"));
    expect(cornerByKey(from, "ArrowLeft", true)).toEqual(from);
    expect(cornerByKey(from, "ArrowRight", true)).toEqual(corner("end", "start"));
    expect(cornerByKey(from, "ArrowDown", false)).toEqual(from);
    expect(cornerByKey(from, "a", false)).toBeUndefined();
    expect([cornerSeen(from, false), cornerSeen(from, true), cornerSeen(corner("start", "start"), false)]).toEqual(["bottomRight", "bottomLeft", "topLeft"]);
  });
});

describe("the size of the chat", () => {
  it("grows away from its corner", () => {
    const size = { width: 30, height: 40 };
    const by = { x: -2, y: -3 };
    expect(resized(size, by, corner("end", "end"), false)).toEqual({ width: 32, height: 43 });
    expect(resized(size, by, corner("start", "start"), false)).toEqual({ width: 28, height: 37 });
    expect(resized(size, by, corner("end", "end"), true)).toEqual({ width: 28, height: 43 });
  });

  it("fits the page, with a margin where it floats and room for the page where it is pinned", () => {
    expect(maxSize({ width: 80, height: 50 })).toEqual({ width: 77.5, height: 47.5 });
    expect(maxSize({ width: 10, height: 10 })).toEqual({ width: 20, height: 24 });
    expect([maxDock(80), maxDock(30)]).toEqual([60, 20]);
  });
});
