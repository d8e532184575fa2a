// The two ways in which a step fails: something is missing that a person must install, or a program ended badly.

/** Something only a person can put right; the message says how. */
export class Advice extends Error {}

/** A program ended with an error. Carries the end of what it printed and the file that has all of it. */
export class StepFailure extends Error {
  constructor(title, reason, { tail = [], logPath = null } = {}) {
    super(`${title}: ${reason}`);
    this.tail = tail;
    this.logPath = logPath;
  }

  describe() {
    const lines = this.tail.map((line) => `  │ ${line}`);
    const log = this.logPath === null ? [] : [`  whole output: ${this.logPath}`];
    return [`✗ ${this.message}`, ...lines, ...log].join("\n");
  }
}
