import type { Usage, UsageTotal } from "@outcrop/client";
import { describe, expect, it } from "vitest";
import { NO_USAGE, USAGE } from "../test/fake-client.ts";
import { modelName } from "./models.ts";
import { formatCost, formatCount, formatDuration, formatPlural, formatPrice, median, secondsUntil } from "./numbers.ts";
import { answerCost, describeUsage, inputTokens, totalCost } from "./usage.ts";

it.each([
  [0, "$0"],
  [1, "<$0.0001"],
  [99_999, "<$0.0001"],
  [100_000, "$0.0001"],
  [2_400_000, "$0.0024"],
  [42_000_000, "$0.042"],
  [1_270_000_000, "$1.27"],
  [1_234_567_890_000, "$1,234.57"],
])("%i nano-dollars are %s", (nano, text) => expect(formatCost(nano)).toBe(text));

it.each([
  [3_000_000_000, "$3"],
  [250_000_000, "$0.25"],
])("a price of %i nano-dollars is %s", (nano, text) => expect(formatPrice(nano)).toBe(text));

it.each([
  [0, "0"],
  [9_999, "9,999"],
  [12_345, "12.3K"],
  [1_200_000, "1.2M"],
])("%i tokens are %s", (count, text) => expect(formatCount(count)).toBe(text));

it.each([
  [0, "0 ms"],
  [850.4, "850 ms"],
  [999.7, "1.0 s"],
  [1_449, "1.4 s"],
  [59_949, "59.9 s"],
  [59_960, "1 min 0 s"],
  [125_000, "2 min 5 s"],
])("%d ms are %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

it("one is one and two are many", () => {
  expect([0, 1, 2].map((count) => formatPlural(count, "answer"))).toEqual(["0 answers", "1 answer", "2 answers"]);
});

it("seconds are rounded up and never negative", () => {
  expect([secondsUntil(1_001, 0), secondsUntil(1_000, 0), secondsUntil(0, 5)]).toEqual([2, 1, 0]);
});

it("the median is the middle, or the mean of the two in the middle", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, undefined]);
});

describe("a usage", () => {
  const unpriced: Usage = { ...USAGE };
  delete unpriced.costNanoUsd;
  const total = (more: Partial<UsageTotal>): UsageTotal => ({ ...NO_USAGE, turns: 3, costNanoUsd: 2_400_000, ...more });

  it("without a price is unpriced, not free; an estimate says so", () => {
    expect(answerCost(USAGE)).toBe("$0.0024");
    expect(answerCost(unpriced)).toBe("unpriced");
    expect(answerCost({ ...USAGE, source: "estimated" })).toBe("≈ $0.0024");
    expect(describeUsage({ ...unpriced, source: "estimated" })).toContain("no known price for this model, estimated");
  });

  it("counts cache tokens as input", () => {
    expect(inputTokens({ ...USAGE, cacheReadInputTokens: 10, cacheWriteInputTokens: 5 })).toBe(65);
    expect(describeUsage({ ...USAGE, cacheReadInputTokens: 10 })).toContain("10 read from the cache");
  });

  it("in sum names what the cost leaves out", () => {
    expect(totalCost(NO_USAGE)).toBe("$0");
    expect(totalCost(total({}))).toBe("$0.0024");
    expect(totalCost(total({ unpricedTurns: 1 }))).toBe("$0.0024 + 1 unpriced");
    expect(totalCost(total({ unpricedTurns: 3, costNanoUsd: 0 }))).toBe("unpriced");
    expect(totalCost(total({ estimatedTurns: 1 }))).toBe("≈ $0.0024");
  });
});

it.each([
  ["anthropic.claude-3-5-sonnet-20241022-v2:0", "Claude 3.5 Sonnet (2024-10)"],
  ["anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet (2024-06)"],
  ["anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku"],
  ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5 (US)"],
  ["apac.anthropic.claude-opus-4-7", "Claude Opus 4.7 (Apac)"],
  ["anthropic.claude-opus-4-6-v1", "Claude Opus 4.6"],
  ["anthropic.claude-opus-4-20250514-v1:0", "Claude Opus 4"],
  ["anthropic.claude-fable-5", "Claude Fable 5"],
  ["arn:aws:bedrock:us-west-2:1:inference-profile/x", "arn:aws:bedrock:us-west-2:1:inference-profile/x"],
])("%s is called %s", (id, name) => expect(modelName(id)).toBe(name));
