import type { UsageRow, UsageSum } from "@outcrop/client";
import { createMemo } from "solid-js";
import { inputTokens } from "../../format/usage.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { BarChart } from "./BarChart.tsx";
import { shortStepName, stepName, stepsBetween } from "./range.ts";
import type { Report } from "./report.ts";

const NANO = 1_000_000_000;

/** Cost and tokens over time. A time in which nothing was used has its place too. */
export function Charts(props: { report: Report }) {
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().usagePage.charts;
  const steps = createMemo(() => {
    const { series, step } = props.report;
    const rows = new Map(series.rows.map((row) => [row.key, row]));
    return stepsBetween(series.from, series.to, step).map((key): { key: string; row: UsageRow | undefined } => ({ key, row: rows.get(key) }));
  });
  const name = (index: number) => shortStepName(steps()[index]?.key ?? "", formats());
  const costs = createMemo(() => ({ values: [steps().map(({ row }) => (row?.usage.costNanoUsd ?? 0) / NANO)], name, scale: formats().formatDollars }));
  const tokens = createMemo(() => ({
    values: [steps().map(({ row }) => row?.usage.totalTokens ?? 0), steps().map(({ row }) => row?.usage.outputTokens ?? 0)],
    name,
    scale: formats().formatCount,
  }));
  const total = () => props.report.series.total;
  const describe = (figures: (row: UsageSum) => string) => (index: number) => {
    const step = steps()[index];
    return step === undefined ? "" : words().bar(stepName(step.key, formats()), step.row === undefined ? words().nothing : figures(step.row));
  };
  const costAndAnswers = (row: UsageSum) => texts().common.list([formats().sumCost(row), texts().usage.answers(formats().countOf(row.turns))]);
  const inAndOut = ({ usage, estimatedCalls }: UsageSum) => {
    const { in: tokensIn, out, about } = texts().usage;
    const figures = texts().common.list([tokensIn(formats().wholeOf(inputTokens(usage))), out(formats().wholeOf(usage.outputTokens))]);
    return estimatedCalls > 0 ? about(figures) : figures;
  };
  return (
    <>
      <BarChart
        title={words().cost[props.report.step]}
        bars={costs()}
        legend={[words().legend.cost]}
        summary={texts().usage.inAll(formats().sumCost(total()))}
        describe={describe(costAndAnswers)}
      />
      <BarChart
        title={words().tokens[props.report.step]}
        bars={tokens()}
        legend={[words().legend.in, words().legend.out]}
        summary={inAndOut(total())}
        describe={describe(inAndOut)}
      />
    </>
  );
}
