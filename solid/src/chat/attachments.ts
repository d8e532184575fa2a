import { attachmentLimits, type Attachment, type AttachmentInfo } from "@outcrop/client";
import { formatBytes, formatPlural } from "../format/numbers.ts";

/** A file of a message. */
export interface SentFile extends AttachmentInfo {
  /** Its bytes in base64, where the page has them. */
  readonly data?: string;
  /** A small picture of it as a `data:` URL, of images that this page has seen. */
  readonly thumbnail?: string;
}

/** A file that is going to be sent. */
export interface DraftFile extends SentFile {
  /** Names it on this page. */
  readonly key: string;
}

/** What `attachmentLimits` says. */
export type AttachmentLimits = typeof attachmentLimits;

/** Media types by the ends of file names: browsers leave some of them out and take others from what is installed. */
const TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  csv: "text/csv",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  html: "text/html",
  htm: "text/html",
  txt: "text/plain",
  md: "text/markdown",
};

const READABLE = "Images (PNG, JPEG, GIF, WebP) and documents (PDF, Word, Excel, CSV, HTML, Markdown, plain text) can be attached.";

/** The media type of a file, by its name where that tells. */
export function mediaTypeOf(file: { name: string; type: string }): string {
  return TYPES[extensionOf(file.name)] ?? (file.type.split(";", 1)[0] ?? "").trim().toLowerCase();
}

export function isImage({ mediaType }: { mediaType: string }): boolean {
  return mediaType.startsWith("image/");
}

/** What a file picker offers. */
export function pickable(limits: AttachmentLimits = attachmentLimits): string {
  const extensions = Object.entries(TYPES).filter(([, type]) => limits.mediaTypes.includes(type));
  return [...limits.mediaTypes, ...extensions.map(([extension]) => `.${extension}`)].join(",");
}

/**
 * Which of some files can be added to those that a message has, and why the others cannot: of a type that no model reads, one too many,
 * or empty. How much all may have together is asked when they have been read, since images are made smaller.
 */
export function admit<F extends { name: string; type: string; size: number }>(
  files: readonly F[],
  before: readonly AttachmentInfo[],
  limits: AttachmentLimits = attachmentLimits,
): { admitted: readonly F[]; problems: readonly string[] } {
  const admitted: F[] = [];
  const problems: string[] = [];
  let count = before.length;
  let documents = before.filter((file) => !isImage(file)).length;
  for (const file of files) {
    const mediaType = mediaTypeOf(file);
    const isDocument = !isImage({ mediaType });
    if (!limits.mediaTypes.includes(mediaType)) problems.push(`${file.name} is of a type that cannot be read. ${READABLE}`);
    else if (file.size === 0) problems.push(`${file.name} is empty.`);
    else if (isDocument && file.size > limits.maxTotalBytes) problems.push(tooLarge(file.name, file.size, limits));
    else if (count >= limits.maxFiles) problems.push(`${file.name} is one too many: a message takes ${formatPlural(limits.maxFiles, "file")}.`);
    else if (isDocument && documents >= limits.maxDocuments) problems.push(`${file.name} is one too many: a message takes ${formatPlural(limits.maxDocuments, "document")}.`);
    else {
      admitted.push(file);
      count += 1;
      documents += isDocument ? 1 : 0;
    }
  }
  return { admitted, problems: [...new Set(problems)] };
}

function tooLarge(name: string, bytes: number, limits: AttachmentLimits): string {
  return `${name} is ${formatBytes(bytes - limits.maxTotalBytes)} too large: a message takes ${formatBytes(limits.maxTotalBytes)} of files.`;
}

/** Why these files cannot be sent together, if they cannot. */
export function excessOf(files: readonly AttachmentInfo[], limits: AttachmentLimits = attachmentLimits): string | undefined {
  const bytes = bytesIn(files);
  if (bytes <= limits.maxTotalBytes) return undefined;
  const [excess, most] = [bytes - limits.maxTotalBytes, limits.maxTotalBytes].map(formatBytes);
  return `The files are ${excess} too large together: a message takes ${most} of them. Remove some, or send them one after the other.`;
}

/** How many bytes each of `count` new images should have at most, so that all fit with what is there; never so few that nothing could be seen. */
export function imageBudget(count: number, otherBytes: number, limits: AttachmentLimits = attachmentLimits): number {
  const share = (limits.maxTotalBytes - otherBytes) / Math.max(1, count);
  return Math.round(Math.min(limits.maxTotalBytes / 2, Math.max(MIN_IMAGE_BYTES, share)));
}

const MIN_IMAGE_BYTES = 48 * 1024;

export function bytesIn(files: readonly { bytes: number }[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0);
}

/** The files as they are sent; undefined where the data of one is gone. */
export function toSend(files: readonly SentFile[]): Attachment[] | undefined {
  const attachments = files.flatMap(({ name, mediaType, data }) => (data === undefined ? [] : [{ name, mediaType, data }]));
  return attachments.length === files.length ? attachments : undefined;
}

/** The files without their data. */
export function withoutData(files: readonly SentFile[]): SentFile[] {
  return files.map(({ data: _, ...file }) => file);
}

/** How many bytes are in base64. */
export function decodedBytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

function extensionOf(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}
