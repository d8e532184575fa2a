import { createSignal, type Accessor } from "solid-js";

/** How far from the end, in CSS pixels, still counts as the end. */
const NEAR_END_PX = 32;

/** Keeps a scroller at its end until the reader scrolls up, and again once the reader is back at the end. */
export interface Follower {
  readonly following: Accessor<boolean>;
  /** To be called at every scroll event. */
  scrolled(): void;
  /** To be called when the content or the scroller has changed its size. */
  contentChanged(): void;
  /** Goes to the end and follows again. */
  jump(): void;
}

export type Scroller = Pick<HTMLElement, "scrollTop" | "scrollHeight" | "clientHeight">;

export function makeFollower(scroller: () => Scroller): Follower {
  const [following, setFollowing] = createSignal(true);
  let lastTop = 0;

  function toEnd(): void {
    const element = scroller();
    element.scrollTop = element.scrollHeight;
    lastTop = element.scrollTop;
  }

  return {
    following,
    scrolled() {
      const { scrollTop, scrollHeight, clientHeight } = scroller();
      const distance = scrollHeight - clientHeight - scrollTop;
      // Content that grows moves the end away without moving the reader: only a move upwards is the reader's.
      if (distance <= NEAR_END_PX) setFollowing(true);
      else if (scrollTop < lastTop) setFollowing(false);
      lastTop = scrollTop;
    },
    contentChanged() {
      if (following()) toEnd();
    },
    jump() {
      setFollowing(true);
      toEnd();
    },
  };
}
