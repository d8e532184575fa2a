import type { Usage, UsageTotal } from "@outcrop/client";
import { describe, expect, it } from "vitest";
import { budget, NO_USAGE, USAGE, usageSum } from "../test/fake-client.ts";
import { exactCost, formatCost, formatCount, formatDuration, formatPlural, formatPrice, formatWait, formatWhole, median, secondsUntil } from "../format.ts";
import { budgetAmount, budgetLeft, budgetLevel, budgetUsed, describeBudget, leftWords, tightest } from "../format.ts";
import { answerCost, describeTotal, describeUsage, inputTokens, knownCost, modelName, sumCost, totalCost, whenWords } from "../format.ts";

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
  [0, "0"],
  [1, "0.000000001"],
  [2_400_000, "0.0024"],
  [3_000_000_000, "3"],
  [1_234_567_890_120, "1234.56789012"],
])("%i nano-dollars are exactly %s dollars", (nano, text) => expect(exactCost(nano)).toBe(text));

it.each([
  [0, "0 s"],
  [90, "90 s"],
  [91, "2 min"],
  [3_600, "1 h"],
  [12_001, "3 h 21 min"],
])("a wait of %i seconds is %s", (seconds, text) => expect(formatWait(seconds)).toBe(text));

it("a count in full has all its digits", () => expect(formatWhole(1_234_567)).toBe("1,234,567"));

it("a time to come is told by the day", () => {
  const now = new Date(2026, 10, 23, 12).getTime();
  expect(whenWords(new Date(2026, 10, 23, 18).getTime(), now)).toMatch(/^today at /);
  expect(whenWords(new Date(2026, 10, 24, 0).getTime(), now)).toMatch(/^tomorrow at /);
  expect(whenWords(new Date(2026, 11, 1, 0).getTime(), now)).toMatch(/^on .*1.* at /);
});

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

  it("of nothing costs nothing, whatever the model", () => {
    expect(answerCost({ ...unpriced, inputTokens: 0, outputTokens: 0, totalTokens: 0 })).toBe("$0");
  });

  it("in sum of the proxy's calls likewise", () => {
    expect(sumCost(usageSum(0))).toBe("$0");
    expect(sumCost(usageSum(2))).toBe("$0.0048");
    expect(sumCost(usageSum(2, { estimatedCalls: 1 }))).toBe("≈ $0.0048");
    expect([sumCost, knownCost].map((cost) => cost(usageSum(2, { unpricedCalls: 1 })))).toEqual(["$0.0048 + 1 unpriced", "$0.0048"]);
    expect(sumCost(usageSum(2, { unpricedCalls: 2, usage: unpriced }))).toBe("unpriced");
    expect(sumCost(usageSum(2, { usage: unpriced }))).toBe("unpriced");
  });

  it("in sum has a sentence with everything", () => {
    const words = describeTotal(total({ inputTokens: 1_234, unpricedTurns: 1, estimatedTurns: 2 }));
    expect(words).toBe("3 answers, 1,234 tokens in, 0 out, $0.0024 in all, 1 without a known price, left out of the cost, 2 estimated");
    expect(describeTotal(total({ unpricedTurns: 3, costNanoUsd: 0 }))).not.toContain("$");
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

describe("a budget", () => {
  it("has left what is neither spent nor set aside", () => {
    const half = budget(2_000_000_000, { reserved: 500_000_000 });
    expect([budgetLeft(half), budgetUsed(half), leftWords(half), budgetLevel(half)]).toEqual([2_500_000_000, 0.5, "$2.50 of $5.00 left", "plenty"]);
    expect(budgetLevel(budget(4_000_000_000))).toBe("low");
  });

  it("that is overspent has nothing left, and no less", () => {
    const over = budget(6_000_000_000);
    expect([budgetLeft(over), budgetUsed(over), leftWords(over), budgetLevel(over)]).toEqual([0, 1, "$5.00 used up", "none"]);
    expect(budgetUsed(budget(0, { limit: 0 }))).toBe(1);
  });

  it("is told whole", () => {
    const now = Date.parse("2026-11-23T12:00:00.000Z");
    const words = describeBudget(budget(100, { scope: "proxy", unit: "tokens", limit: 1_000, reserved: 1 }), now);
    expect(words).toMatch(/^Everybody’s daily budget: 899 tokens of 1,000 tokens left, 100 tokens spent, 1 token set aside for answers under way; renews /);
    expect(budgetAmount(budget(0), 5_000_000_000)).toBe("$5.00");
  });

  it("that is nearest its end is the one to look at", () => {
    expect(tightest([budget(1), budget(3), budget(2)])?.spent).toBe(3);
    expect(tightest([])).toBeUndefined();
  });
});
