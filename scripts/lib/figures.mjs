// Lines of figures that tests print, and the table that is made of them.

import { stripAnsi } from "./step.mjs";

const BEGIN = "<!-- figures -->";
const END = "<!-- /figures -->";

/** The lines of `output` that start with `prefix`; the test runner may have printed the test's name before it. */
export function figureLines(output, prefix) {
  const lines = stripAnsi(output).split("\n").map((line) => line.replace(/^test \S+ \.\.\. /, "").trim());
  return lines.filter((line) => line.startsWith(prefix));
}

/** The page with a row for each figure between its markers; throws if it has no markers. */
export function withTable(page, rows, machine) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END}`);
  const cell = (text) => text.replaceAll("|", "\\|");
  const lines = rows.map(({ figure, command }) => `| ${cell(figure)} | \`${cell(command)}\` |`);
  const table = ["", `Measured on ${machine}.`, "", "| What was seen | Made by |", "|---|---|", ...lines, ""];
  return `${page.slice(0, begin)}${BEGIN}\n${table.join("\n")}\n${page.slice(end)}`;
}
