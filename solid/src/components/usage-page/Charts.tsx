import type { UsageRow, UsageSum } from "@outcrop/client";
import { createMemo } from "solid-js";
import { formatCount, formatPlural, formatWhole } from "../../format/numbers.ts";
import { inputTokens, sumCost } from "../../format/usage.ts";
import { BarChart } from "./BarChart.tsx";
import { shortStepName, stepName, stepsBetween } from "./range.ts";
import type { Report } from "./report.ts";

const NANO = 1_000_000_000;

/** Cost and tokens over time. A time in which nothing was used has its place too. */
export function Charts(props: { report: Report }) {
  const steps = createMemo(() => {
    const { series, step } = props.report;
    const rows = new Map(series.rows.map((row) => [row.key, row]));
    return stepsBetween(series.from, series.to, step).map((key): { key: string; row: UsageRow | undefined } => ({ key, row: rows.get(key) }));
  });
  const name = (index: number) => shortStepName(steps()[index]?.key ?? "");
  const costs = createMemo(() => ({ values: [steps().map(({ row }) => (row?.usage.costNanoUsd ?? 0) / NANO)], name, scale: scaleDollars }));
  const tokens = createMemo(() => ({
    values: [steps().map(({ row }) => row?.usage.totalTokens ?? 0), steps().map(({ row }) => row?.usage.outputTokens ?? 0)],
    name,
    scale: formatCount,
  }));
  const total = () => props.report.series.total;
  const per = () => (props.report.step === "day" ? "a day" : "an hour");
  const describe = (words: (row: UsageSum) => string) => (index: number) => {
    const step = steps()[index];
    return step === undefined ? "" : `${stepName(step.key)}: ${step.row === undefined ? "nothing used" : words(step.row)}`;
  };
  return (
    <>
      <BarChart
        title={`Cost ${per()}`}
        bars={costs()}
        legend={["cost"]}
        summary={`${sumCost(total())} in all`}
        describe={describe((row) => `${sumCost(row)}, ${formatPlural(row.turns, "answer")}`)}
      />
      <BarChart
        title={`Tokens ${per()}`}
        bars={tokens()}
        legend={["in", "out"]}
        summary={inAndOut(total())}
        describe={describe(inAndOut)}
      />
    </>
  );
}

function inAndOut({ usage, estimatedCalls }: UsageSum): string {
  return `${estimatedCalls > 0 ? "≈ " : ""}${formatWhole(inputTokens(usage))} in, ${formatWhole(usage.outputTokens)} out`;
}

function scaleDollars(dollars: number): string {
  return `$${dollars.toLocaleString("en-US", { maximumSignificantDigits: 3 })}`;
}
