/** The address of a link that may be followed, or undefined. Only whole web and mail addresses may: what they point at is visible in them. */
export function safeHref(href: string): string | undefined {
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return undefined;
  }
  if (url.protocol === "http:" || url.protocol === "https:") return url.host === "" ? undefined : url.href;
  return url.protocol === "mailto:" ? url.href : undefined;
}
