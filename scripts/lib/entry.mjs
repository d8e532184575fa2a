// Runs one command and turns what went wrong into something a person can act on: never a stack trace for a failed step.

import { endAllChildren, Interrupted, watchSignals } from "./children.mjs";
import { Advice, StepFailure } from "./failures.mjs";

/** Runs `scripts/<command>.mjs` and exits with the code it returns. */
export async function runCommand(command, args) {
  watchSignals();
  const { main } = await import(`../${command}.mjs`);
  try {
    process.exitCode = await main(args);
  } catch (error) {
    await endAllChildren();
    process.exitCode = report(error);
  }
  // A child's pipe that a grandchild still holds open must not keep the command alive.
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}

const EXIT_GRACE_MS = 500;

function report(error) {
  if (error instanceof Interrupted) {
    console.error("\nInterrupted. Run the same command again to go on where it stopped.");
    return 130;
  }
  if (error instanceof Advice) {
    console.error(`\n${error.message}`);
    return 1;
  }
  if (error instanceof StepFailure) {
    console.error(`\n${error.describe()}`);
    return 1;
  }
  console.error(error);
  return 1;
}
