import { createMemo, createResource, For, Index, Show } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { CopyButton } from "../common/CopyButton.tsx";
import { Caret } from "./Caret.tsx";
import { highlight } from "./highlight.ts";
import { PlainText } from "./PlainText.tsx";

/** About how much of a code block is one text node: a browser lays out again only the lines of the node that grows. */
const CHUNK_CHARS = 2_000;

/** A block of code with its language and a copy button. Colours come once the block is whole. */
export function CodeBlock(props: { code: string; language: string; open: boolean }) {
  const texts = useTexts();
  const whole = createMemo(() => (props.open || props.language === "" ? undefined : props.code));
  const [tokens] = createResource(whole, (code) => highlight(code, props.language));
  const coloured = () => (tokens.state === "ready" && whole() !== undefined ? tokens() : undefined);
  const chunks = createMemo<readonly string[]>((before) => chunksOf(props.code, before), []);
  return (
    <figure class="oc-code" dir="ltr">
      <figcaption>
        <span>{props.language || texts().markdown.plain}</span>
        <CopyButton text={() => props.code} label={texts().markdown.copyCode} />
      </figcaption>
      <pre tabindex="0" aria-label={props.language === "" ? texts().markdown.code : texts().markdown.codeIn(props.language)}>
        <code>
          <Show when={coloured()} fallback={<Index each={chunks()}>{(chunk) => <PlainText text={chunk()} />}</Index>}>
            {(known) => <For each={known()}>{(token) => <Show when={token.kind} fallback={token.text}>{(kind) => <span data-kind={kind()}>{token.text}</span>}</Show>}</For>}
          </Show>
          <Caret shown={props.open} />
        </code>
      </pre>
    </figure>
  );
}

/** The code in pieces of whole lines. Pieces of `before` that it begins with stay as they are. */
function chunksOf(code: string, before: readonly string[]): readonly string[] {
  const chunks: string[] = [];
  let at = 0;
  for (const chunk of before.slice(0, -1)) {
    if (!code.startsWith(chunk, at)) break;
    chunks.push(chunk);
    at += chunk.length;
  }
  while (code.length - at > CHUNK_CHARS) {
    const lineEnd = code.indexOf("\n", at + CHUNK_CHARS);
    if (lineEnd === -1) break;
    chunks.push(code.slice(at, lineEnd + 1));
    at = lineEnd + 1;
  }
  return [...chunks, code.slice(at)];
}
