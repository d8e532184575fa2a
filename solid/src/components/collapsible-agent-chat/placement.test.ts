import { describe, expect, it } from "vitest";
import { pageStorage } from "../../chat/storage.ts";
import { makePlacement } from "./placement.ts";

function setUp(text?: string) {
  localStorage.clear();
  if (text !== undefined) localStorage.setItem("here", text);
  return makePlacement(pageStorage(localStorage), "here");
}
const again = () => makePlacement(pageStorage(localStorage), "here");

describe("the placement", () => {
  it("is remembered: corner, size, width when pinned", () => {
    const control = setUp();
    control.open();
    control.moveTo({ block: "start", inline: "start" });
    control.resize({ width: 33, height: 44 });
    control.togglePin();
    control.resize({ width: 28, height: 99 });
    control.remember();
    const { placement, corner, size, dockWidth } = again();
    expect([placement(), corner(), size(), dockWidth()]).toEqual(["pinned", { block: "start", inline: "start" }, { width: 33, height: 44 }, 28]);
  });

  it("is not written with every step of a drag", () => {
    const control = setUp();
    control.open();
    control.resize({ width: 33, height: 44 });
    expect(again().size()).toEqual({ width: 26, height: 42 });
    control.remember();
    expect(again().size()).toEqual({ width: 33, height: 44 });
  });

  it("is read from what was stored before there were corners and sizes", () => {
    const { placement, corner, size, dockWidth } = setUp('{"open":true,"pinned":true}');
    expect([placement(), corner(), size(), dockWidth()]).toEqual(["pinned", { block: "end", inline: "end" }, { width: 26, height: 42 }, 26]);
  });

  it.each(['{"size":{"width":3,"height":"9"},"dockWidth":-1,"corner":"top"}', '{"size":null,"corner":[],"dockWidth":1e999}', "17", "[", "null"])("makes the best of %s", (text) => {
    const { placement, corner, size, dockWidth } = setUp(text);
    expect([placement(), corner(), size(), dockWidth()]).toEqual(["minimised", { block: "end", inline: "end" }, { width: 26, height: 42 }, 26]);
  });

  it("goes on without a storage", () => {
    const control = makePlacement(pageStorage(null), "here");
    control.open();
    expect(control.placement()).toBe("floating");
  });
});
