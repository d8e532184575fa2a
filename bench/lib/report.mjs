// The figures as a table for the terminal and as a page for docs/.

import { median, shown, spread } from "./numbers.mjs";
import { boundText, FIGURES, met } from "./targets.mjs";

const HEAD = ["Figure", "Outcrop", "Other", "Ratio", "To reach", "", "To aim at", "", "Apart"];

/**
 * One row for each figure that was measured. `results` holds, by the figure's id, our samples and the other's.
 * "Other" is the Node server; for the assembling of a stream, plain JavaScript; for the page, the one on TanStack AI.
 */
export function rows(results) {
  return FIGURES.filter(({ id }) => results[id]?.ours.length > 0).map((figure) => {
    const { ours: samples, other: others = [] } = results[figure.id];
    const ours = median(samples);
    const other = others.length > 0 ? median(others) : undefined;
    return {
      ...figure,
      ours,
      other,
      ratio: other === undefined ? undefined : other / ours,
      reached: met(figure.reach, ours, other),
      aimed: met(figure.aim, ours, other),
      spread: Math.max(spread(samples), others.length > 0 ? spread(others) : 0),
      samples: samples.length,
    };
  });
}

/** For the terminal. */
export function table(rows) {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const padded = (line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ").trimEnd();
  return lines.map(padded).join("\n");
}

/** The page docs/benchmarks.md. */
export function page(rows, { machine, how, notes }) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return `# Benchmarks

\`npm run bench\` measures the proxy beside a Node server that does the same (\`bench/node/server.mjs\`: \`ws\` and the AWS SDK for
JavaScript, with their defaults), in one run, in turns, against the same Bedrock emulator on loopback, the browser client beside
plain JavaScript, and a chat page beside the same page on TanStack AI. \`npm run bench -- --write\` writes this page.

Measured on ${machine.date}: ${machine.cpu}. One-minute load at the start: ${machine.load}.
${machine.versions.join(", ")}.

${line(HEAD.map((cell, column) => (column === 5 ? "reached" : column === 7 ? "met" : cell)))}
|---|${"---:|".repeat(HEAD.length - 1)}
${rows.map((row) => line(cells(row))).join("\n")}

Each figure is the median of its runs. "Ratio" is the other's figure over ours. "Apart" is half the range of the runs over
their median, the larger of ours and the other's; a single run has none.

## How each figure is made

${how.map(({ name, how }) => `- **${name}**: ${how}`).join("\n")}

The load generator (\`bench/load\`) is one thread of Rust. It counts the tokens of every answer, and a run in which one is missing
or a server reports an error gives no figure. Both servers sign their calls with SigV4, and the emulator checks the signatures.

## How far to trust them

System calls, instructions, memory and sizes hardly change from run to run and may be compared between machines of a kind.
CPU time depends on the machine and on what else it does: compare the ratio, which comes from the same run. Latencies are those of
a machine on which the load generator, the emulator and the server share the cores. Times of the page are those of a simulated
phone: compare them with each other only.
${notes.length > 0 ? `\n${notes.map(({ name, text }) => `- ${name}: ${text}`).join("\n")}\n` : ""}`;
}

function cells({ title, unit, ours, other, ratio, reach, reached, aim, aimed, spread, samples }) {
  const figure = (value) => (value === undefined ? "–" : `${shown(value)}${unit && ` ${unit}`}`);
  const apart = samples > 1 ? `±${(spread * 100).toFixed(0)} %` : "–";
  return [title, figure(ours), figure(other), ratio === undefined ? "–" : `${shown(ratio)} ×`, boundText(reach, unit), verdict(reached), boundText(aim, unit), verdict(aimed), apart];
}

function verdict(met) {
  return met === null ? "–" : met ? "yes" : "no";
}
