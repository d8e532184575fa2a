import { createResource, For, Show } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { CopyButton } from "../common/CopyButton.tsx";
import { Caret } from "./Caret.tsx";
import { highlight } from "./highlight.ts";

/** A block of code with its language and a copy button. Colours come once the block is whole. */
export function CodeBlock(props: { code: string; language: string; open: boolean }) {
  const texts = useTexts();
  const source = () => (props.open || props.language === "" ? undefined : { code: props.code, language: props.language });
  const [tokens] = createResource(source, ({ code, language }) => highlight(code, language));
  const coloured = () => (tokens.state === "ready" && source() !== undefined ? tokens() : undefined);
  return (
    <figure class="oc-code" dir="ltr">
      <figcaption>
        <span>{props.language || texts().markdown.plain}</span>
        <CopyButton text={() => props.code} label={texts().markdown.copyCode} />
      </figcaption>
      <pre tabindex="0" aria-label={props.language === "" ? texts().markdown.code : texts().markdown.codeIn(props.language)}>
        <code>
          <Show when={coloured()} fallback={props.code}>
            {(known) => <For each={known()}>{(token) => <Show when={token.kind} fallback={token.text}>{(kind) => <span data-kind={kind()}>{token.text}</span>}</Show>}</For>}
          </Show>
          <Caret shown={props.open} />
        </code>
      </pre>
    </figure>
  );
}
