import type { ConnectionStatus } from "@outcrop/client";
import type { Amount } from "../amount.ts";

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

export const models = {
  label: "Model",
  priced: (model: string, input: string, output: string) => `${model}: ${input} in, ${output} out per million tokens`,
  unpriced: (model: string) => `${model}: no known price`,
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
