import { createSignal, type Accessor } from "solid-js";

/** Where the chat is: behind its launcher, floating over the page, or pinned to its side. */
export type Placement = "minimised" | "floating" | "pinned";

/** The placement and how it changes. It remembers across page loads, and whether the chat was pinned while minimised. */
export interface PlacementControl {
  readonly placement: Accessor<Placement>;
  /** Opens a minimised chat as it was last; minimises an open one. */
  toggle(): void;
  open(): void;
  minimise(): void;
  /** Pins a floating chat, floats a pinned one. */
  togglePin(): void;
}

interface Stored {
  open: boolean;
  pinned: boolean;
}

/** `storage` may be `null`: nothing is remembered then. */
export function makePlacement(storage: Pick<Storage, "getItem" | "setItem"> | null, key: string): PlacementControl {
  const [stored, setStored] = createSignal<Stored>(read(storage?.getItem(key) ?? null));

  function change(next: Stored): void {
    setStored(next);
    storage?.setItem(key, JSON.stringify(next));
  }

  return {
    placement: () => (!stored().open ? "minimised" : stored().pinned ? "pinned" : "floating"),
    toggle: () => change({ ...stored(), open: !stored().open }),
    open: () => change({ ...stored(), open: true }),
    minimise: () => change({ ...stored(), open: false }),
    togglePin: () => change({ open: true, pinned: !stored().pinned }),
  };
}

/** What was stored, or a minimised, floating chat where that is not readable. */
function read(text: string | null): Stored {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    if (typeof value === "object" && value !== null && "open" in value && "pinned" in value) {
      return { open: value.open === true, pinned: value.pinned === true };
    }
  } catch {
    // Not ours, or from another version: begin anew.
  }
  return { open: false, pinned: false };
}
