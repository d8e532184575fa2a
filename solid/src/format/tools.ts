import type { ToolInfo, ToolStatus, ToolUse } from "@outcrop/client";

/** The longest hint of a call's arguments, in characters. */
const MAX_HINT_CHARS = 80;

/** How far a call is, and what that is called; of an answer that is over nothing more comes. */
export function toolState(call: ToolUse, isOver: boolean): { status: ToolStatus; name: ToolStatus | "not_called" } {
  const status = !isOver ? call.status : (LEFT_OVER[call.status] ?? call.status);
  return { status, name: status !== call.status && status === "denied" ? "not_called" : status };
}

/** What became of a call whose answer ended before it did. */
const LEFT_OVER: Partial<Record<ToolStatus, ToolStatus>> = { preparing: "denied", pending_approval: "denied", running: "unknown_outcome" };

/** What a person calls a tool. */
export function toolTitle(call: Pick<ToolUse, "name">, info: ToolInfo | undefined): string {
  return info?.title ?? call.name;
}

/** The tools by the servers that have them, in the order in which they came. */
export function byServer(tools: readonly ToolInfo[]): readonly (readonly [string, readonly ToolInfo[]])[] {
  const servers = [...new Set(tools.map((tool) => tool.server))];
  return servers.map((server) => [server, tools.filter((tool) => tool.server === server)]);
}

/** What a call is given, in a line: one plain argument alone, several with their names; nothing where that says little. */
export function argumentHint(input: unknown): string {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return "";
  const plain = Object.entries(input).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  const shown = plain.length === 1 && Object.keys(input).length === 1 ? plain.map(([, value]) => String(value)) : plain.map(([name, value]) => `${name}: ${String(value)}`);
  const line = visible(shown.join(", ").replace(/\s+/g, " ").trim());
  return line.length > MAX_HINT_CHARS ? `${line.slice(0, MAX_HINT_CHARS - 1).trimEnd()}…` : line;
}

/** A JSON value to be read. */
export function prettyJson(value: unknown): string {
  return visible(JSON.stringify(value, null, 2) ?? "");
}

/** A tool's text to be read: laid out where it is a whole JSON object or list. */
export function prettyResult(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/**
 * A text in which nothing is hidden: controls, marks that turn the direction of text and other characters without a shape are written as
 * escapes, since a person decides by what is seen.
 */
export function visible(text: string): string {
  return text.replace(/(?![\n\r\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (hidden) =>
    Array.from({ length: hidden.length }, (_, index) => `\\u${hidden.charCodeAt(index).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** The beginning of a text: so many lines or characters, whichever ends first. Undefined where that is all of it. */
export function beginning(text: string, maxLines: number, maxChars: number): string | undefined {
  let end = -1;
  for (let line = 0; line < maxLines; line += 1) {
    end = text.indexOf("\n", end + 1);
    if (end === -1) break;
  }
  const cut = Math.min(end === -1 ? text.length : end, maxChars);
  return cut >= text.trimEnd().length ? undefined : text.slice(0, cut);
}
