import { createEffect, createSignal, createUniqueId, For, on, onCleanup, onMount } from "solid-js";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { drawBars, type Bars, type BarsChart } from "./bars.ts";

interface BarChartProps {
  title: string;
  bars: Bars;
  /** A name for each series; one alone needs none. The style sheet colours it by its place. */
  legend: readonly string[];
  /** All of it in words. */
  summary: string;
  /** One bar in words. */
  describe: (index: number) => string;
}

/**
 * Bars over time. What a bar says stands in words above them, for the one at the pointer, or for the one that the arrow keys have come
 * to; the table under the charts has every figure besides.
 */
export function BarChart(props: BarChartProps) {
  const texts = useTexts();
  const formats = useFormats();
  const [at, setAt] = createSignal<number>();
  const titleId = createUniqueId();
  const wordsId = createUniqueId();
  let target!: HTMLDivElement;
  let swatches!: HTMLParagraphElement;
  let chart: BarsChart | undefined;
  const count = () => props.bars.values[0]?.length ?? 0;
  const shown = () => {
    const index = at();
    return index === undefined || index >= count() ? undefined : index;
  };

  /** As the style sheet says; a canvas knows no variables. */
  function colors() {
    const { color, borderBottomColor } = getComputedStyle(swatches);
    return { series: [...swatches.children].map((swatch) => getComputedStyle(swatch, "::before").backgroundColor), text: color, line: borderBottomColor };
  }

  onMount(() => {
    chart = drawBars(target, props.bars, colors, setAt);
    const sizes = new ResizeObserver(() => chart?.resize(target.clientWidth, target.clientHeight));
    sizes.observe(target);
    const redraw = () => chart?.redraw();
    const themes = new MutationObserver(redraw);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", redraw);
    onCleanup(() => {
      sizes.disconnect();
      themes.disconnect();
      system.removeEventListener("change", redraw);
      chart?.destroy();
    });
  });
  createEffect(on(() => props.bars, (bars) => chart?.show(bars), { defer: true }));

  function move(index: number | undefined): void {
    setAt(index);
    chart?.mark(index);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const last = count() - 1;
    const now = shown();
    const to = new Map([
      ["ArrowLeft", now === undefined ? last : Math.max(0, now - 1)],
      ["ArrowRight", now === undefined ? 0 : Math.min(last, now + 1)],
      ["Home", 0],
      ["End", last],
    ]).get(event.key);
    if (to === undefined || last < 0) return;
    event.preventDefault();
    move(to);
  }

  return (
    <section class="oc-dash-card oc-usage-chart" aria-labelledby={titleId}>
      <h2 id={titleId}>{props.title}</h2>
      <p class="oc-usage-words" id={wordsId} aria-live="polite">{shown() === undefined ? props.summary : props.describe(shown() ?? 0)}</p>
      <div
        class="oc-usage-plot"
        ref={target}
        role="group"
        aria-label={texts().usagePage.charts.label(props.title, formats().countOf(count()))}
        aria-describedby={wordsId}
        tabindex="0"
        onKeyDown={onKeyDown}
        onBlur={() => move(undefined)}
      />
      <p class="oc-usage-legend" ref={swatches} data-single={props.legend.length === 1 ? "" : undefined}>
        <For each={props.legend}>{(name) => <span>{name}</span>}</For>
      </p>
    </section>
  );
}
