import { createSignal, type Accessor } from "solid-js";

/** How far from the end, in CSS pixels, still counts as the end. */
const NEAR_END_PX = 32;

/** Keeps a scroller at its end until the reader scrolls up, and again once the reader is back at the end. */
export interface Follower {
  /** Whether the reader has gone away from the end, so that what comes is out of sight. */
  readonly away: Accessor<boolean>;
  /** To be called at every scroll event. */
  scrolled(): void;
  /** The reader turns the wheel up: what comes before anything has scrolled is not to take them back. */
  turnedUp(): void;
  /** To be called when the content or the scroller has changed its size. */
  contentChanged(): void;
  /** The reader opens or closes something: what they look at stays where it is, unless all of it still fits. */
  hold(): void;
  /** Goes to the end and follows again. */
  jump(): void;
}

export type Scroller = Pick<HTMLElement, "scrollTop" | "scrollHeight" | "clientHeight">;

export function makeFollower(scroller: () => Scroller): Follower {
  const [away, setAway] = createSignal(false);
  let following = true;
  let isHeld = false;
  let lastTop = 0;
  let lastEnd = 0;

  /** Takes note of where the scroller is; returns whether that is the end. */
  function look(): boolean {
    lastTop = scroller().scrollTop;
    lastEnd = endOf(scroller());
    return lastEnd - lastTop <= NEAR_END_PX;
  }

  function toEnd(): void {
    const element = scroller();
    element.scrollTop = element.scrollHeight;
    look();
    setAway(false);
  }

  return {
    away,
    scrolled() {
      const { scrollTop } = scroller();
      // Content that grows moves the end away; content that shrinks, or a scroller that grows, moves the end and the scroller up.
      // Neither is the reader. A wheel that scrolls smoothly begins with a pixel or two: those must count, or the next token takes
      // the reader back.
      const isUp = scrollTop < lastTop && endOf(scroller()) >= lastEnd;
      const isDown = scrollTop > lastTop;
      const isAtEnd = look();
      if (isUp) following = false;
      else if (isDown && isAtEnd) following = true;
      setAway(!following && !isAtEnd);
    },
    turnedUp() {
      if (scroller().scrollTop > 0) following = false;
    },
    contentChanged() {
      if (following && !isHeld) return toEnd();
      const isAtEnd = look();
      following = following && isAtEnd;
      isHeld = false;
      setAway(!isAtEnd);
    },
    hold() {
      isHeld = true;
    },
    jump() {
      following = true;
      isHeld = false;
      toEnd();
    },
  };
}

/** The largest `scrollTop`. */
function endOf({ scrollHeight, clientHeight }: Scroller): number {
  return scrollHeight - clientHeight;
}
