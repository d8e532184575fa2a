import type { StopReason } from "@outcrop/client";
import type { Amount } from "../amount.ts";
import { plurals } from "../plurals.ts";

export const panel = {
  conversation: "Conversation",
  messages: "Messages",
  jump: "Jump to latest",
  loading: "Loading messages…",
  loadAgain: "Load again",
  showOlder: "Show older messages",
};

export const empty = {
  title: "What would you like to know?",
  text: "Ask in your own words, or begin with one of these.",
  /** Prompts that show what answers can look like. */
  suggestions: [
    "Compare three ways to cache API responses in a table",
    "Write a small Rust program that counts words",
    "Explain how streaming over a WebSocket works",
  ] as readonly string[],
  demoHelp: "lists the commands of demo mode",
};

export const composer = {
  label: "Message",
  placeholder: "Ask Claude…",
  attach: "Attach files",
  send: "Send",
  sendTitle: "Send (Enter)",
  stop: "Stop",
  stopTitle: "Stop (Esc)",
  keys: "Enter sends, Shift+Enter makes a new line.",
  keysWhileAnswering: "Enter sends, Shift+Enter makes a new line, Esc stops.",
  tooLong: plurals("en", { one: "# character too long.", other: "# characters too long." }),
  closed: "The connection is closed. Reload the page to go on.",
};

export const files = {
  attached: "Attached files",
  toSend: "Files to send",
  reading: plurals("en", { one: "Reading # file…", other: "Reading # files…" }),
  drop: "Drop files to attach them",
  title: (name: string, mediaType: string) => `${name} (${mediaType})`,
  remove: "Remove",
  removeFile: (name: string) => `Remove ${name}`,
  wrongType: (name: string) =>
    `${name} is of a type that cannot be read. Images (PNG, JPEG, GIF, WebP) and documents (PDF, Word, Excel, CSV, HTML, Markdown, plain text) can be attached.`,
  empty: (name: string) => `${name} is empty.`,
  tooLarge: (name: string, excess: string, most: string) => `${name} is ${excess} too large: a message takes ${most} of files.`,
  tooMany: (name: string, most: Amount) => `${name} is one too many: a message takes ${most} ${most.value === 1 ? "file" : "files"}.`,
  tooManyDocuments: (name: string, most: Amount) => `${name} is one too many: a message takes ${most} ${most.value === 1 ? "document" : "documents"}.`,
  unreadable: (name: string) => `${name} could not be read. Is it what its name says? Try to attach it again.`,
  tooLargeTogether: (excess: string, most: string) =>
    `The files are ${excess} too large together: a message takes ${most} of them. Remove some, or send them one after the other.`,
};

export const answer = {
  /** Who answers where no model is known. */
  author: "Claude",
  label: (author: string, time: string) => `${author}, ${time}`,
  question: (time: string) => `You, ${time}`,
  copy: "Copy answer",
  counting: "counting what it used…",
  thinking: "Thinking…",
  reasoning: "Reasoning",
  thoughtFor: (duration: string) => `Thought for ${duration}`,
  toolLimit: "It stopped because it used as many tools as one answer may.",
  goOn: "Go on",
  /** What is sent then. */
  goOnMessage: "Go on.",
  stopped: "Stopped",
  /** How it ended, where that is not simply its end. */
  ends: {
    tool_use: "Asks for a tool",
    max_tokens: "Cut at the token limit",
    guardrail_intervened: "Ended by a guardrail",
    content_filtered: "Ended by a content filter",
    model_context_window_exceeded: "Ended where the context was full",
  } satisfies Record<Exclude<StopReason, "end_turn" | "stop_sequence" | "other" | "cancelled" | "tool_limit">, string>,
};

/** What an answer waits for. */
export const waiting = {
  unsent: "Waiting for the connection. Your message goes out when it is back.",
  unheard: "Waiting for the connection. The answer comes when it is back.",
  forPerson: "Waits for you.",
  queued: "Waiting for a free place…",
  retrying: "Bedrock is busy. Asking again…",
  retryingIn: (wait: string) => `Bedrock is busy. Asking again in ${wait}…`,
  silent: "Bedrock is silent. Still waiting…",
};

/** What screen readers are told. */
export const announcements = {
  unsent: "Your message waits for the connection.",
  answering: "Claude is answering.",
  failed: "The answer failed.",
  stopped: (text: string) => `The answer was stopped. ${text}`,
  cut: (beginning: string) => `${beginning}… The whole answer is in the list of messages.`,
  toolAsks: (tool: string) => `May Claude use ${tool}? Allow or deny.`,
  toolBegins: (tool: string) => `Using ${tool}.`,
  toolEnds: (tool: string, state: string) => `${tool}: ${state}.`,
};

export const gauge = {
  label: "Usage",
  thisAnswer: "This answer",
  lastAnswer: "Last answer",
  conversation: "Conversation",
  conversationAsShown: "Conversation, as far as shown",
};

export const markdown = {
  copyCode: "Copy code",
  code: "Code",
  codeIn: (language: string) => `Code, ${language}`,
  /** The language of code that has none. */
  plain: "text",
  table: "Table",
  formula: "Formula",
  done: "Done",
  toDo: "To do",
  image: "image",
};
