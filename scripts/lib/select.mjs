// Which steps `npm test -- words…` runs: those whose name contains one of the words.

import { Advice } from "./failures.mjs";

/** All steps without words; throws when a word fits no step, because a mistyped filter must not pass. */
export function select(steps, words) {
  if (words.length === 0) return steps;
  const fits = (step, word) => step.name.toLowerCase().includes(word.toLowerCase());
  for (const word of words) {
    if (!steps.some((step) => fits(step, word))) {
      throw new Advice(`No test step fits "${word}". There are: ${steps.map(({ name }) => name).join(", ")}.`);
    }
  }
  return steps.filter((step) => words.some((word) => fits(step, word)));
}
