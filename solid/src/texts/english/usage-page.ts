import type { Amount } from "../amount.ts";
import { plurals } from "../plurals.ts";

export const usagePage = {
  title: "Usage",
  text: "What the proxy has counted, of this page and all others. Days are UTC.",
  loading: "Loading the usage…",
  tryAgain: "Try again",
  refresh: "Refresh",
  whose: "Whose",
  scopes: { own: "Mine", organization: "My organization", all: "Everybody" },
  time: "Time",
  ranges: { today: "Today", "7d": "7 days", "30d": "30 days", month: "This month" },
  span: (first: string, last: string) => `${first} to ${last}`,
  by: "By",
  groups: { model: "Model", session: "Conversation", user: "User", organization: "Organization", day: "Day" },
  budgets: "Budgets",
  nothing: "Nothing was used in this time.",
  nothingText: "Choose a longer one, or ask Claude something: each answer is counted here.",

  cost: "Cost",
  tokens: "Tokens",
  answers: "Answers",
  unpricedCalls: plurals("en", { one: "# call without a known price", other: "# calls without a known price" }),
  modelCalls: plurals("en", { one: "# call of models", other: "# calls of models" }),
  toolCalls: plurals("en", { one: "# call of tools", other: "# calls of tools" }),

  charts: {
    cost: { day: "Cost a day", hour: "Cost an hour" },
    tokens: { day: "Tokens a day", hour: "Tokens an hour" },
    legend: { cost: "cost", in: "in", out: "out" },
    label: (title: string, bars: Amount) => `${title}: ${bars} ${bars.value === 1 ? "bar" : "bars"}, read with the arrow keys`,
    bar: (step: string, figures: string) => `${step}: ${figures}`,
    nothing: "nothing used",
  },

  table: {
    titles: { model: "By model", session: "By conversation", user: "By user", organization: "By organization", day: "By day" },
    columns: { cost: "Cost", tokens: "Tokens", input: "In", output: "Out", turns: "Answers", tools: "Tool calls" },
    csv: "CSV",
    json: "JSON",
    total: "Total",
    deleted: "Deleted conversation",
    showAll: (rows: Amount) => `Show all ${rows} rows`,
    estimated: plurals("en", {
      one: "≈ Bedrock did not report what one call used: an estimate from the length of the texts.",
      other: "≈ Bedrock did not report what # calls used: an estimate from the length of the texts.",
    }),
    unpriced: plurals("en", {
      one: "The price of one call is not known: the cost leaves it out.",
      other: "The price of # calls is not known: the cost leaves them out.",
    }),
  },
};
