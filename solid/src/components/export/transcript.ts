import type { Message, Part } from "@outcrop/client";
import type { Transcript } from "../../chat/transcript.ts";
import { modelName } from "../../format/models.ts";
import type { Formats } from "../../format/formats.ts";
import { argumentHint } from "../../format/tools.ts";
import { inputTokens } from "../../format/usage.ts";
import type { Texts } from "../../texts/english.ts";

/** A conversation to be read: what was said as it was written, tool calls in a line, reasoning left out. */
export function toMarkdown(transcript: Transcript, texts: Texts, formats: Formats): string {
  const title = `# ${transcript.title ?? texts.common.untitled}`;
  const note = transcript.isCut ? [`*${texts.export.cut}*`] : [];
  return `${[title, ...note, ...transcript.messages.map((message) => section(message, texts, formats))].join("\n\n")}\n`;
}

/** The same with everything that the proxy stored, as it sent it. */
export function toJson(transcript: Transcript): string {
  return `${JSON.stringify(transcript, null, 2)}\n`;
}

/** What a file of it is called. */
export function fileName(transcript: Transcript, ending: string): string {
  const name = (transcript.title ?? "").normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return `${name === "" ? transcript.sessionId : name}.${ending}`;
}

function section(message: Message, texts: Texts, formats: Formats): string {
  const author = message.role === "user" ? texts.export.you : message.model === undefined ? texts.answer.author : modelName(message.model);
  const heading = `## ${texts.answer.label(author, formats.dateAndTime(Date.parse(message.timestamp)))}`;
  const files = (message.attachments ?? []).map(({ name }) => `- ${name}`).join("\n");
  const body = message.role === "user" ? [message.content] : bodyOf(message, texts);
  return [heading, files, ...body, ...endOf(message, texts, formats)].filter((part) => part.trim() !== "").join("\n\n");
}

function bodyOf({ parts = [], content }: Message, texts: Texts): string[] {
  return parts.length === 0 ? [content.trim()] : parts.map((part) => partOf(part, texts));
}

function partOf(part: Part, texts: Texts): string {
  switch (part.type) {
    case "text":
      return part.text.trim();
    case "tool_use":
      return `> ${[part.name, argumentHint(part.input), texts.tools.states[part.status]].filter((text) => text !== "").join(" · ")}`;
    default:
      return "";
  }
}

function endOf({ error, usage }: Message, texts: Texts, formats: Formats): string[] {
  const failed = error === undefined ? [] : [`*${texts.errors[error.code]}: ${error.message}*`];
  if (usage === undefined) return failed;
  const { usage: words } = texts;
  const figures = [words.in(formats.countOf(inputTokens(usage))), words.out(formats.countOf(usage.outputTokens)), formats.answerCost(usage)];
  return [...failed, `*${figures.join(", ")}*`];
}
