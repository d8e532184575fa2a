import { english, type Texts } from "../texts/english.ts";

/** The English texts, each in marks with its name: `⟦composer.send│Send⟧`. */
export const MARKED = marked(english, "") as Texts;

/** The names of all texts. */
export const NAMES = namesOf(english, "");

function marked(text: unknown, name: string): unknown {
  if (typeof text === "string") return `⟦${name}│${text}⟧`;
  if (Array.isArray(text)) return text.map((part) => (typeof part === "string" ? marked(part, name) : part));
  if (typeof text === "function") return (...values: unknown[]) => (refuseWords(name, values), marked(text(...values), name));
  return Object.fromEntries(Object.entries(text as object).map(([key, part]) => [key, marked(part, below(name, key))]));
}

/** What a text is told is data, or other texts: words that a component makes up would hide in its marks. */
function refuseWords(name: string, values: readonly unknown[]): void {
  for (const value of values.flat()) {
    const words = value instanceof Node ? "" : outside(`${value}`);
    if (hasWords(words)) throw new Error(`${name} is told "${words}", which nobody can replace`);
  }
}

/**
 * Whether there are words which are in no text. What comes from the proxy, from a person or from Intl is in other scripts in the tests; media
 * types and the command of the emulator are the same in every language.
 */
export function hasWords(outside: string): boolean {
  return /[a-z]/i.test(outside.replaceAll("/help", "").replace(/\b(image|text|application)\/[\w.+-]+/g, ""));
}

function namesOf(text: unknown, name: string): string[] {
  const isGroup = typeof text === "object" && !Array.isArray(text);
  return isGroup ? Object.entries(text as object).flatMap(([key, part]) => namesOf(part, below(name, key))) : [name];
}

function below(name: string, key: string): string {
  return name === "" ? key : `${name}.${key}`;
}

/** What is outside of the marks. `onText` hears the name of each text. */
function outside(words: string, onText: (name: string) => void = () => {}): string {
  // From the inside out: what a text tells may have marks of its own.
  const left = words.replace(/⟦([\w.]+)│[^⟦⟧]*⟧/g, (_, name: string) => (onText(name), ""));
  return left === words ? left : outside(left, onText);
}

/** What is read out or shown at an element besides its text. */
const SPOKEN = ["aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "aria-placeholder", "title", "placeholder", "alt", "label"];

/** All that can be read in a part of the page: which texts it is from, and what of it is outside of any. */
export function readAll(root: Element): { names: string[]; rest: string[] } {
  const spoken = [...root.querySelectorAll("*")].flatMap((element) => SPOKEN.map((name) => element.getAttribute(name) ?? ""));
  const names: string[] = [];
  const rest = [root.textContent, ...spoken].map((words) => outside(words, (name) => names.push(name)));
  return { names, rest };
}
