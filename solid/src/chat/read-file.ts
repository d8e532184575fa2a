import { decodedBytes, type SentFile } from "./attachments.ts";

/** The longest edge that Claude reads; it makes larger images smaller itself, and they cost no less on the way. */
export const MAX_EDGE_PX = 1568;

/** Larger images are not decoded: their pixels might not fit in memory. */
const MAX_SOURCE_BYTES = 64 * 1024 * 1024;

/** The longest edge of a thumbnail: twice what it is shown at. */
const THUMBNAIL_PX = 96;

/** How an image is tried to be encoded until it is small enough. */
const QUALITIES = [0.85, 0.7, 0.5] as const;
const SCALES = [1, 0.75, 0.5] as const;

/** A file with its bytes; an image that is too large made smaller, to about `budget` bytes, and with a thumbnail. */
export async function readFile(file: File, mediaType: string, budget: number): Promise<SentFile> {
  if (!mediaType.startsWith("image/")) return withBytes(file, file.name, mediaType);
  const actualType = await sniffed(file);
  if (actualType === undefined) throw new Error("this is no image that can be read");
  const picture = await decoded(file);
  if (picture === undefined) return withBytes(file, file.name, actualType);
  try {
    const isSmall = Math.max(picture.width, picture.height) <= MAX_EDGE_PX && file.size <= budget;
    const smaller = isSmall || actualType === "image/gif" ? undefined : await shrunk(picture, actualType, budget);
    const isUseful = smaller !== undefined && (smaller.size < file.size || Math.max(picture.width, picture.height) > MAX_EDGE_PX);
    const thumbnail = await thumbnailOf(picture);
    const read = isUseful ? await withBytes(smaller, renamed(file.name, smaller.type), smaller.type) : await withBytes(file, file.name, actualType);
    return { ...read, ...(thumbnail === undefined ? {} : { thumbnail }) };
  } finally {
    picture.close();
  }
}

async function withBytes(blob: Blob, name: string, mediaType: string): Promise<SentFile> {
  const url = await dataUrl(blob);
  const data = url.slice(url.indexOf(",") + 1);
  return { name, mediaType, bytes: decodedBytes(data), data };
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("the file cannot be read"));
    reader.readAsDataURL(blob);
  });
}

/** The image as pixels, upright; undefined where this browser cannot decode it. */
async function decoded(file: File): Promise<ImageBitmap | undefined> {
  if (typeof createImageBitmap !== "function" || file.size > MAX_SOURCE_BYTES) return undefined;
  return createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => undefined);
}

/** The image encoded in few bytes: the first that is within the budget, or the smallest. */
async function shrunk(picture: ImageBitmap, mediaType: string, budget: number): Promise<Blob | undefined> {
  const fit = Math.min(1, MAX_EDGE_PX / Math.max(picture.width, picture.height));
  const asIs = mediaType === "image/png" ? await encoded(picture, fit, "image/png") : undefined;
  let best = asIs;
  if (best !== undefined && best.size <= budget) return best;
  const type = mediaType === "image/jpeg" ? "image/jpeg" : "image/webp";
  for (const scale of SCALES) {
    for (const quality of QUALITIES) {
      const blob = await encoded(picture, fit * scale, type, quality);
      if (blob !== undefined && (best === undefined || blob.size < best.size)) best = blob;
      if (best !== undefined && best.size <= budget) return best;
    }
  }
  return best;
}

/** A browser that cannot write a type writes a PNG instead and says so. */
async function encoded(picture: ImageBitmap, scale: number, type: string, quality?: number): Promise<Blob | undefined> {
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null;
  if (context === null) return undefined;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  // That of Firefox has another `toBlob` too.
  if ("convertToBlob" in canvas) return canvas.convertToBlob({ type, ...(quality === undefined ? {} : { quality }) });
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), type, quality));
}

function canvasOf(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas === "function") return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** A `data:` URL, which a page's content security policy allows where it does not allow `blob:`. */
async function thumbnailOf(picture: ImageBitmap): Promise<string | undefined> {
  const scale = Math.min(1, THUMBNAIL_PX / Math.min(picture.width, picture.height));
  const isLong = Math.max(picture.width, picture.height) * scale > 4 * THUMBNAIL_PX;
  const blob = await encoded(picture, isLong ? (4 * THUMBNAIL_PX) / Math.max(picture.width, picture.height) : scale, "image/webp", 0.7);
  return blob && dataUrl(blob);
}

/** What an image is by its first bytes: names lie, and Bedrock refuses what is not what it is said to be. */
async function sniffed(file: Blob): Promise<string | undefined> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...head);
  if (text.startsWith("\x89PNG")) return "image/png";
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("GIF8")) return "image/gif";
  return text.startsWith("RIFF") && text.slice(8, 12) === "WEBP" ? "image/webp" : undefined;
}

function renamed(name: string, mediaType: string): string {
  const extension = mediaType === "image/jpeg" ? "jpg" : mediaType.slice("image/".length);
  const isNamedSo = mediaType === "image/jpeg" ? /\.jpe?g$/i.test(name) : name.toLowerCase().endsWith(`.${extension}`);
  return isNamedSo ? name : `${name.replace(/\.[^.]*$/, "")}.${extension}`;
}
