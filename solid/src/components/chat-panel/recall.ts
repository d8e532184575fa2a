import type { ChatState } from "../../chat/state.ts";

/** Walks through what the person has said, as the arrow keys do in a shell. */
export interface Recall {
  /**
   * What was said before (`"older"`) or after what the box shows; after the latest comes the empty box again. Undefined where there is
   * nothing, and where the box has a text of its own.
   */
  step(shown: string, direction: "older" | "newer"): string | undefined;
}

export function makeRecall(state: () => ChatState): Recall {
  /** What the box was given last, and where that is, counted from the end; the empty box is at 0. */
  let given = { text: "", back: 0 };

  return {
    step(shown, direction) {
      if (shown === "") given = { text: "", back: 0 };
      if (shown !== given.text) return undefined;
      const back = given.back + (direction === "older" ? 1 : -1);
      const text = back === 0 ? "" : back < 0 ? undefined : textsOf(state()).at(-back);
      if (text !== undefined) given = { text, back };
      return text;
    },
  };
}

/** The texts of the questions, the latest last; what was said twice in a row is there once. */
function textsOf({ messages }: ChatState): string[] {
  const texts = messages.flatMap((message) => (message.role === "user" && message.text !== "" ? [message.text] : []));
  return texts.filter((text, index) => text !== texts[index - 1]);
}
