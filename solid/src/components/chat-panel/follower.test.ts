import { expect, it } from "vitest";
import { makeFollower, type Scroller } from "./follower.ts";

/** 100 pixels of sight on content of some height, as a browser scrolls it. */
class FakeScroller implements Scroller {
  clientHeight = 100;
  scrollHeight = 100;
  #top = 0;
  get scrollTop(): number {
    return this.#top;
  }
  set scrollTop(top: number) {
    this.#top = Math.max(0, Math.min(top, this.scrollHeight - this.clientHeight));
  }
}

function setUp() {
  const scroller = new FakeScroller();
  const follower = makeFollower(() => scroller);
  const grow = (by: number) => {
    scroller.scrollHeight += by;
    follower.contentChanged();
    follower.scrolled();
  };
  const scrollTo = (top: number) => {
    scroller.scrollTop = top;
    follower.scrolled();
  };
  return { scroller, follower, grow, scrollTo };
}

it("the end is followed while content grows", () => {
  const { scroller, follower, grow } = setUp();
  for (let step = 0; step < 10; step += 1) grow(37);
  expect(scroller.scrollTop).toBe(370);
  expect(follower.away()).toBe(false);
});

it("scrolling up lets go, and what comes then does not move the reader", () => {
  const { scroller, follower, grow, scrollTo } = setUp();
  grow(500);
  scrollTo(400);
  expect(follower.away()).toBe(true);
  grow(500);
  expect(scroller.scrollTop).toBe(400);
});

it("scrolling down without reaching the end does not follow again; reaching it does", () => {
  const { scroller, follower, grow, scrollTo } = setUp();
  grow(500);
  scrollTo(200);
  scrollTo(300);
  expect(follower.away()).toBe(true);
  scrollTo(490);
  expect(follower.away()).toBe(false);
  grow(100);
  expect(scroller.scrollTop).toBe(600);
});

it("a scroll of a pixel lets go too, and the button comes when the end is out of sight", () => {
  const { scroller, follower, grow, scrollTo } = setUp();
  grow(500);
  scrollTo(499);
  expect(follower.away()).toBe(false);
  grow(20);
  expect(scroller.scrollTop).toBe(499);
  grow(20);
  expect(scroller.scrollTop).toBe(499);
  expect(follower.away()).toBe(true);
});

it("content that shrinks is not taken for the reader's scrolling", () => {
  const { scroller, grow } = setUp();
  grow(500);
  scroller.scrollHeight -= 300;
  scroller.scrollTop = scroller.scrollTop;
  grow(0);
  grow(100);
  expect(scroller.scrollTop).toBe(300);
});

it("content that grows between two scroll events is not taken for the reader's scrolling", () => {
  const { scroller, follower, grow } = setUp();
  grow(200);
  scroller.scrollHeight += 300;
  follower.scrolled();
  follower.contentChanged();
  expect(scroller.scrollTop).toBe(500);
  expect(follower.away()).toBe(false);
});

it("a scroller that grows is not taken for the reader's scrolling", () => {
  const { scroller, follower, grow } = setUp();
  grow(500);
  scroller.clientHeight += 50;
  scroller.scrollTop = scroller.scrollTop;
  follower.scrolled();
  grow(100);
  expect(scroller.scrollTop).toBe(550);
});

it("a jump goes to the end and follows", () => {
  const { scroller, follower, grow, scrollTo } = setUp();
  grow(500);
  scrollTo(0);
  follower.jump();
  expect(scroller.scrollTop).toBe(500);
  expect(follower.away()).toBe(false);
});

it("what the reader opens at the end does not move it away from under the pointer", () => {
  const { scroller, follower, grow, scrollTo } = setUp();
  grow(200);
  follower.hold();
  grow(300);
  expect(scroller.scrollTop).toBe(200);
  expect(follower.away()).toBe(true);
  grow(50);
  expect(scroller.scrollTop).toBe(200);
  scrollTo(550);
  grow(50);
  expect(scroller.scrollTop).toBe(600);
});

it("what the reader opens where all of it still fits does not let go of the end", () => {
  const { scroller, follower, grow } = setUp();
  grow(200);
  follower.hold();
  grow(20);
  expect(follower.away()).toBe(false);
  grow(100);
  expect(scroller.scrollTop).toBe(320);
});

it("a wheel that is turned up lets go before anything has scrolled, where there is something above", () => {
  const { scroller, follower, grow, scrollTo } = setUp();
  follower.turnedUp();
  grow(300);
  expect(scroller.scrollTop).toBe(300);
  follower.turnedUp();
  grow(50);
  expect([scroller.scrollTop, follower.away()]).toEqual([300, true]);
  scrollTo(350);
  grow(50);
  expect([scroller.scrollTop, follower.away()]).toEqual([400, false]);
});
