import { lexer, parse } from "marked";
import { createMemo, Index } from "solid-js";

/** Markdown as pages with `marked` usually show it while it grows: only a block whose text changed is written to the page again. */
export function PlainMarkdown(props: { text: string }) {
  const blocks = createMemo(() => lexer(props.text).map((token) => token.raw));
  return <Index each={blocks()}>{(raw) => <div innerHTML={parse(raw(), { async: false })} />}</Index>;
}
