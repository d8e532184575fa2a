import { createSignal, type Accessor } from "solid-js";
import { localStorageIfAny, pageStorage, type PageStorage } from "./storage.ts";

/** How a person wants to be answered: in every conversation of the page, and again when it is loaded anew. */
export interface Settings {
  /** The model that was chosen; undefined leaves it to the conversation and the proxy. */
  readonly model: Accessor<string | undefined>;
  setModel(model: string | undefined): void;
  /** The person's own instructions, which are sent with every message; empty where there are none. */
  readonly systemPrompt: Accessor<string>;
  setSystemPrompt(text: string): void;
  /** Whether answers are shown as they are made. Default true; without, they come whole. */
  readonly streaming: Accessor<boolean>;
  setStreaming(streaming: boolean): void;
}

interface Stored {
  model?: string | undefined;
  systemPrompt: string;
  streaming: boolean;
}

const SETTINGS_KEY = "outcrop.settings";

/** The longest name of a model and the longest instructions that are read back: more than any proxy takes. */
const MAX_MODEL_CHARS = 2_048;
const MAX_SYSTEM_PROMPT_CHARS = 200_000;

/** Settings that `storage` keeps. Default: the browser's local storage. */
export function makeSettings(storage: PageStorage = pageStorage(localStorageIfAny())): Settings {
  const [stored, setStored] = createSignal(read(storage.get(SETTINGS_KEY)));

  function change(more: Partial<Stored>): void {
    // Another tab may have changed something else.
    const kept = storage.get(SETTINGS_KEY);
    const before = kept === null ? stored() : read(kept);
    storage.set(SETTINGS_KEY, JSON.stringify(setStored({ ...before, ...more })));
  }

  return {
    model: () => stored().model,
    setModel: (model) => change({ model }),
    systemPrompt: () => stored().systemPrompt,
    setSystemPrompt: (systemPrompt) => change({ systemPrompt }),
    streaming: () => stored().streaming,
    setStreaming: (streaming) => change({ streaming }),
  };
}

/** Forgets them, for whoever sits down here next. */
export function forgetSettings(storage: PageStorage): void {
  storage.set(SETTINGS_KEY, "");
}

/** What was stored; what is missing of it or makes no sense is as it is at first. */
function read(text: string | null): Stored {
  const { model, systemPrompt, streaming } = parse(text);
  return {
    model: isText(model, MAX_MODEL_CHARS) && model !== "" ? model : undefined,
    systemPrompt: isText(systemPrompt, MAX_SYSTEM_PROMPT_CHARS) ? systemPrompt : "",
    streaming: streaming !== false,
  };
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text || "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isText(value: unknown, max: number): value is string {
  return typeof value === "string" && value.length <= max;
}
