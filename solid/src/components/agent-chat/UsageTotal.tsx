import type { PageUsage } from "@outcrop/client";
import { inputTokens } from "../../format/usage.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

/** What this page has used so far. */
export function UsageTotal(props: { usage: PageUsage }) {
  const texts = useTexts();
  const formats = useFormats();
  const count = (value: number) => formats().countOf(value);
  const title = () => {
    const words = texts().usage;
    const { turns, outputTokens } = props.usage;
    return texts().pageTotal.whole(words.answers(count(turns)), words.tokensIn(count(inputTokens(props.usage))), words.out(count(outputTokens)));
  };
  return (
    <span class="oc-total" title={title()}>
      <span class="oc-hidden">{texts().pageTotal.label} </span>
      <span class="oc-total-tokens">{texts().usage.tokens(count(props.usage.totalTokens))}</span>
      <span class="oc-total-cost">{formats().totalCost(props.usage)}</span>
    </span>
  );
}
