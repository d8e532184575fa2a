import type { ConnectionStatus } from "@outcrop/client";
import type { Amount } from "../amount.ts";
import { plurals } from "../plurals.ts";

export const connection = {
  states: {
    idle: "Not connected",
    connecting: "Connecting…",
    open: "Connected",
    reconnecting: "Reconnecting",
    offline: "Offline",
    closed: "Closed",
  } satisfies Record<ConnectionStatus["state"], string>,
  retryIn: (wait: string) => `in ${wait}`,
};

export const demo = {
  label: "Demo mode",
  title: "Demo mode:",
  /** The command comes as an element. */
  text: <T>(help: T): (string | T)[] => [
    "answers come from the built-in emulator, not from Bedrock. Configure AWS credentials and restart to talk to Claude. Send ",
    help,
    " to see what the emulator can act out.",
  ],
};

export const sessions = {
  label: "Conversations",
  new: "New conversation",
  none: "Conversations appear here after their first message.",
  showMore: "Show more",
  /** Headings of the list; months before that come from the locale. */
  days: {
    today: "Today",
    yesterday: "Yesterday",
    week: "Previous 7 days",
    month: "Previous 30 days",
  },
  search: "Search conversations",
  clearSearch: "Clear the search",
  searching: "Searching…",
  found: plurals("en", { one: "# conversation found.", other: "# conversations found." }),
  noneCalled: (title: string) => `No conversation is called “${title}”.`,
  onlyLatest: (most: Amount) => `Only the latest ${most} conversations are searched.`,
  loadAgain: "Load again",
  rename: "Rename",
  renameSession: (title: string) => `Rename ${title}`,
  title: "Title",
  save: "Save",
  delete: "Delete",
  deleteSession: (title: string) => `Delete ${title}`,
  askDeleteSession: (title: string) => `Delete ${title}?`,
  askDelete: "Delete it?",
  keep: "Keep",
};

/** The open conversation as a file. */
export const exporting = {
  label: "Export conversation",
  markdown: "As Markdown",
  json: "As JSON",
  loading: "Loading all of it…",
  failed: (reason: string) => `Not exported. ${reason}`,
  /** In the file. */
  you: "You",
  cut: "Older messages are left out.",
};

export const models = {
  label: "Model",
  price: (input: string, output: string) => `${input} in, ${output} out per million tokens`,
  unpriced: "no known price",
  described: (model: string, price: string) => `${model}: ${price}`,
  default: "Default",
};

export const settings = {
  title: "Settings",
  close: "Close",
  instructions: "Your instructions",
  instructionsHint: "Claude is told them with each of your messages, in every conversation.",
  instructionsExample: "For example: answer briefly, in metric units.",
  left: plurals("en", { one: "# character left.", other: "# characters left." }),
  tooLong: (excess: Amount, most: Amount) =>
    `${excess} ${excess.value === 1 ? "character" : "characters"} too long: at most ${most} can be used. Until it fits, the last text that did is used.`,
  streaming: "Show answers while they are written",
  streamingHint: "Otherwise an answer appears once it is complete, and tools that need your approval are not called.",
  kept: "Kept in this browser, for all conversations.",
};

/** What the page has used. */
export const pageTotal = {
  label: "Used by this page:",
  whole: (answers: string, tokensIn: string, tokensOut: string) => `This page: ${answers}, ${tokensIn}, ${tokensOut}`,
};

/** The chat behind a launcher. */
export const collapsible = {
  title: "Claude",
  launch: "Ask Claude",
  answering: "Answering",
  newAnswer: "New answer",
  controlKey: (key: string) => `Ctrl ${key}`,
  pin: "Pin to the side",
  float: "Float over the page",
  minimise: "Minimise",
  minimiseTitle: "Minimise (Esc)",
  move: "Drag, or press Alt and an arrow key, to move",
  movedTo: {
    topLeft: "Chat moved to the top left.",
    topRight: "Chat moved to the top right.",
    bottomLeft: "Chat moved to the bottom left.",
    bottomRight: "Chat moved to the bottom right.",
  },
  pinnedTo: { left: "Chat pinned to the left.", right: "Chat pinned to the right." },
  resize: "Drag, or use the arrow keys, to resize",
  size: "Size of the chat",
  width: "Width of the chat",
  large: (width: Amount, height: Amount) => `${width} by ${height} pixels`,
  wide: (width: Amount) => `${width} pixels wide`,
};
