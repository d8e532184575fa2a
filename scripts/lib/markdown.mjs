// What documents point at: links, anchors of headings, and sentences that are quoted from the program.

const FENCE = /^(```|~~~).*?^\1[^\S\n]*$/gms;
const CODE = /`[^`\n]*`/g;

/** Targets of all links and images, code left out. */
export function links(text) {
  const prose = text.replace(FENCE, "").replace(CODE, "code");
  return [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)].map(([, target]) => target);
}

/** The anchors that GitHub gives to headings: small letters, no punctuation, a hyphen for each blank, a number where one comes again. */
export function anchors(text) {
  const seen = new Map();
  const found = new Set();
  for (const [, heading] of text.replace(FENCE, "").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = shown.toLowerCase().replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return found;
}

/** What is quoted, in `>` or between single asterisks, cut where `{…}` or `…` stands for what varies. */
export function quotes(text) {
  const prose = text.replace(FENCE, "").replace(CODE, (code) => code.replaceAll("*", " "));
  const blocks = [...prose.matchAll(/(?:^> ?.*\n?)+/gm)].map(([block]) => block.replace(/^> ?/gm, ""));
  const cursive = [...prose.matchAll(/(?<![*\w])\*(?![*\s])([^*]+?)(?<![\s*])\*(?![*\w])/g)].map(([, quoted]) => quoted);
  const parts = [...blocks, ...cursive].flatMap((quoted) => quoted.split(/\{[^}]*\}|…/));
  return parts.map((part) => part.replace(/\s+/g, " ").trim()).filter((part) => part.length >= 8);
}
