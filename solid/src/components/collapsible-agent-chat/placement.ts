import { createSignal, type Accessor } from "solid-js";
import type { PageStorage } from "../../chat/storage.ts";
import { MIN_SIZE, type Corner, type Size } from "./geometry.ts";

/** Where the chat is: behind its launcher, floating over the page, or pinned to its side. */
export type Placement = "minimised" | "floating" | "pinned";

/** The placement and how it changes. It remembers across page loads, and whether the chat was pinned while minimised. */
export interface PlacementControl {
  readonly placement: Accessor<Placement>;
  readonly corner: Accessor<Corner>;
  /** Of the floating window, as it was wished: the page may be too small for it. */
  readonly size: Accessor<Size>;
  /** Of the pinned chat, likewise. */
  readonly dockWidth: Accessor<number>;
  open(): void;
  minimise(): void;
  /** Pins a floating chat, floats a pinned one. */
  togglePin(): void;
  moveTo(corner: Corner): void;
  /** Sets what the placement has: the width alone of a pinned chat. Nothing is remembered before `remember()`. */
  resize(size: Size): void;
  remember(): void;
}

interface Stored {
  open: boolean;
  pinned: boolean;
  corner: Corner;
  size: Size;
  dockWidth: number;
}

const SIZE: Size = { width: 26, height: 42 };
const DOCK_WIDTH = 26;

export function makePlacement(storage: PageStorage, key: string): PlacementControl {
  const [stored, setStored] = createSignal<Stored>(read(storage.get(key)));

  function remember(): void {
    storage.set(key, JSON.stringify(stored()));
  }

  function change(next: Partial<Stored>): void {
    setStored({ ...stored(), ...next });
    remember();
  }

  return {
    placement: () => (!stored().open ? "minimised" : stored().pinned ? "pinned" : "floating"),
    corner: () => stored().corner,
    size: () => stored().size,
    dockWidth: () => stored().dockWidth,
    open: () => change({ open: true }),
    minimise: () => change({ open: false }),
    togglePin: () => change({ open: true, pinned: !stored().pinned }),
    moveTo: (corner) => change({ corner }),
    resize: (size) => setStored((was) => ({ ...was, ...(was.pinned ? { dockWidth: size.width } : { size }) })),
    remember,
  };
}

/** What was stored; what is missing of it or makes no sense is as it is at first. */
function read(text: string | null): Stored {
  const value = record(parse(text));
  const corner = record(value["corner"]);
  const size = record(value["size"]);
  return {
    open: value["open"] === true,
    pinned: value["pinned"] === true,
    corner: { block: corner["block"] === "start" ? "start" : "end", inline: corner["inline"] === "start" ? "start" : "end" },
    size: {
      width: length(size["width"], MIN_SIZE.width) ?? SIZE.width,
      height: length(size["height"], MIN_SIZE.height) ?? SIZE.height,
    },
    dockWidth: length(value["dockWidth"], MIN_SIZE.width) ?? DOCK_WIDTH,
  };
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function length(value: unknown, min: number): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= min ? value : undefined;
}
