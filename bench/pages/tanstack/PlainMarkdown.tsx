import { lexer, parse } from "marked";
import { createEffect, createMemo, createSignal, Index, on, onCleanup } from "solid-js";

/**
 * Markdown by `marked` as pages usually show it while it grows: parsed at most once a painted frame, and only a block whose text changed is
 * written to the page again.
 */
export function PlainMarkdown(props: { text: string; open: boolean }) {
  const [shown, setShown] = createSignal("");
  let request: number | undefined;

  function cancel(): void {
    if (request !== undefined) cancelAnimationFrame(request);
    request = undefined;
  }

  function show(): void {
    cancel();
    setShown(props.text);
  }

  createEffect(
    on([() => props.text, () => props.open], ([_, open]) => {
      if (open) request ??= requestAnimationFrame(show);
      else show();
    }),
  );
  onCleanup(cancel);

  const blocks = createMemo(() => lexer(shown()).map((token) => token.raw));
  return <Index each={blocks()}>{(raw) => <div innerHTML={parse(raw(), { async: false })} />}</Index>;
}
