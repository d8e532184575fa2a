import type { ShjLanguageData, ShjToken } from "@speed-highlight/core/tokenize";

/** A piece of code and what it is: a keyword, a string and so on. */
export interface CodeToken {
  readonly text: string;
  readonly kind?: ShjToken;
}

/** Longer code is shown plain: colour is not worth a frozen page. */
export const MAX_HIGHLIGHT_CHARS = 50_000;

type Load = () => Promise<{ default: unknown }>;

const GRAMMARS = {
  bash: () => import("@speed-highlight/core/languages/bash.js"),
  c: () => import("@speed-highlight/core/languages/c.js"),
  css: () => import("@speed-highlight/core/languages/css.js"),
  diff: () => import("@speed-highlight/core/languages/diff.js"),
  docker: () => import("@speed-highlight/core/languages/docker.js"),
  go: () => import("@speed-highlight/core/languages/go.js"),
  html: () => import("@speed-highlight/core/languages/html.js"),
  java: () => import("@speed-highlight/core/languages/java.js"),
  js: () => import("@speed-highlight/core/languages/js.js"),
  json: () => import("@speed-highlight/core/languages/json.js"),
  py: () => import("@speed-highlight/core/languages/py.js"),
  rs: () => import("@speed-highlight/core/languages/rs.js"),
  sql: () => import("@speed-highlight/core/languages/sql.js"),
  toml: () => import("@speed-highlight/core/languages/toml.js"),
  ts: () => import("@speed-highlight/core/languages/ts.js"),
  xml: () => import("@speed-highlight/core/languages/xml.js"),
  yaml: () => import("@speed-highlight/core/languages/yaml.js"),
} satisfies Record<string, Load>;

const ALIASES: Record<string, keyof typeof GRAMMARS> = {
  sh: "bash", shell: "bash", zsh: "bash", console: "bash", "c++": "c", cpp: "c", h: "c", dockerfile: "docker", golang: "go", htm: "html",
  svg: "xml", kotlin: "java", javascript: "js", jsx: "js", mjs: "js", jsonc: "json", json5: "json", python: "py", python3: "py", rust: "rs",
  typescript: "ts", tsx: "ts", yml: "yaml", patch: "diff",
};

/**
 * The tokens of a piece of code, or undefined where its language is not known or it is too long. The tokenizer and the grammar
 * are loaded when the first code of that language is shown.
 */
export async function highlight(code: string, language: string): Promise<readonly CodeToken[] | undefined> {
  const load = grammar(language.toLowerCase());
  if (load === undefined || code.length > MAX_HIGHLIGHT_CHARS) return undefined;
  const [{ tokenizeWith }, { default: data }] = await Promise.all([import("@speed-highlight/core/tokenize"), load()]);
  const tokens: CodeToken[] = [];
  tokenizeWith(code, data as ShjLanguageData, (text, kind) => {
    if (text !== "") tokens.push(kind === undefined ? { text } : { text, kind });
  });
  return tokens;
}

function grammar(language: string): Load | undefined {
  const name = Object.hasOwn(ALIASES, language) ? ALIASES[language] : language;
  return name !== undefined && Object.hasOwn(GRAMMARS, name) ? GRAMMARS[name as keyof typeof GRAMMARS] : undefined;
}
