import { createMemo, createSignal, Show, type JSX } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { Caret } from "./Caret.tsx";
import type { FormulaToken } from "./formulas.ts";

type ToMathMl = (tex: string, display: boolean) => Element | undefined;

/** What makes MathML: loaded for the whole page when the first formula is shown. */
const [toMathMl, setToMathMl] = createSignal<ToMathMl>();
let loading: Promise<void> | undefined;

function load(): void {
  loading ??= import("./mathml.ts").then(
    (module) => void setToMathMl(() => module.toMathMl),
    // Without it formulas stay as they were written, until the next one is shown.
    () => void (loading = undefined),
  );
}

/** A formula: its source, and in its place MathML once that can be made. What is copied is the source. */
export function Formula(props: { token: FormulaToken; open?: boolean | undefined }): JSX.Element {
  load();
  const math = createMemo(() => (props.open ? undefined : toMathMl()?.(props.token.text, props.token.display)));
  return (
    <span class="oc-math" data-display={props.token.display ? "" : undefined} data-shown={math() === undefined ? undefined : ""} dir="ltr">
      <span class="oc-math-source">{props.token.raw.trim()}</span>
      {math()}
    </span>
  );
}

/** A formula on lines of its own. It scrolls sideways where it is too wide. While it is written its source is seen. */
export function FormulaBlock(props: { token: FormulaToken; open: boolean }): JSX.Element {
  const texts = useTexts();
  return (
    <div class="oc-math-block" role="group" aria-label={texts().markdown.formula} tabindex="0">
      <Formula token={props.token} open={props.open} />
      <Show when={props.open}><Caret shown /></Show>
    </div>
  );
}
