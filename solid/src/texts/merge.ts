/** Some of the texts: of groups any part, of a text or a list the whole. */
export type PartialOf<T> = { readonly [K in keyof T]?: T[K] extends Leaf ? T[K] : PartialOf<T[K]> };

type Leaf = string | readonly unknown[] | ((...values: never[]) => unknown);

/** The texts with others in the place of some. What is no text of these, or is undefined, changes nothing. */
export function merged<T extends object>(base: T, more: PartialOf<T>): T {
  const entries = Object.entries(base).map(([name, text]) => {
    const other = (more as Record<string, unknown>)[name];
    return [name, other === undefined ? text : isGroup(text) ? merged(text, other as object) : other];
  });
  return Object.fromEntries(entries) as T;
}

function isGroup(text: unknown): text is object {
  return typeof text === "object" && text !== null && !Array.isArray(text);
}
