import { attachmentLimits, type Attachment, type AttachmentInfo } from "@outcrop/client";

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

/** Why a file is not taken. Sizes are in bytes. */
export type FileProblem =
  | { readonly kind: "wrong_type" | "empty" | "unreadable"; readonly name: string }
  | { readonly kind: "too_large"; readonly name: string; readonly excess: number; readonly most: number }
  | { readonly kind: "too_many" | "too_many_documents"; readonly name: string; readonly most: number };

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
): { admitted: readonly F[]; problems: readonly FileProblem[] } {
  const admitted: F[] = [];
  const problems: FileProblem[] = [];
  let count = before.length;
  let documents = before.filter((file) => !isImage(file)).length;
  for (const file of files) {
    const { name, size } = file;
    const mediaType = mediaTypeOf(file);
    const isDocument = !isImage({ mediaType });
    if (!limits.mediaTypes.includes(mediaType)) problems.push({ kind: "wrong_type", name });
    else if (size === 0) problems.push({ kind: "empty", name });
    else if (isDocument && size > limits.maxTotalBytes) problems.push({ kind: "too_large", name, excess: size - limits.maxTotalBytes, most: limits.maxTotalBytes });
    else if (count >= limits.maxFiles) problems.push({ kind: "too_many", name, most: limits.maxFiles });
    else if (isDocument && documents >= limits.maxDocuments) problems.push({ kind: "too_many_documents", name, most: limits.maxDocuments });
    else {
      admitted.push(file);
      count += 1;
      documents += isDocument ? 1 : 0;
    }
  }
  return { admitted, problems: [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()] };
}

/** By how many bytes these files are too large to be sent together, if they are, and how many a message takes. */
export function excessOf(files: readonly AttachmentInfo[], limits: AttachmentLimits = attachmentLimits): { excess: number; most: number } | undefined {
  const excess = bytesIn(files) - limits.maxTotalBytes;
  return excess <= 0 ? undefined : { excess, most: limits.maxTotalBytes };
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
