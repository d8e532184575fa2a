// Runs tasks after the tasks they need, two at a time, each once, skipping what is up to date.
//
// A task is `{ id, title, needs, inputs, run }`:
// - `needs`: tasks that must be done before;
// - `inputs()`, optional: `{ files, facts, outputs }` for the stamp. Without it the task runs each time and must be quick when
//   there is nothing to do;
// - `ready()`, optional: true when there is nothing to do, for what is not made from files of the checkout;
// - `run(step)`: does the work with `step.run(command, arguments)`.

import { endAllChildren, Interrupted, isEnding } from "./children.mjs";
import { ROOT } from "./paths.mjs";
import { Reporter } from "./reporter.mjs";
import { fingerprint, Stamps } from "./stamp.mjs";
import { Step } from "./step.mjs";

const AT_ONCE = 2;

export class TaskRunner {
  constructor({ reporter = new Reporter(), stamps = new Stamps(), root = ROOT, makeStep = (id, title) => new Step(id, title) } = {}) {
    this.reporter = reporter;
    this.stamps = stamps;
    this.root = root;
    this.makeStep = makeStep;
    this.promises = new Map();
    this.free = AT_ONCE;
    this.waiting = [];
  }

  /** Makes sure that all of `tasks` are done; throws the first failure. */
  async ensure(...tasks) {
    await Promise.all(tasks.map((task) => this.#one(task)));
  }

  /** Like `ensure`, but the first failure ends everything that is still running before it is thrown. */
  async ensureOrStop(...tasks) {
    try {
      await this.ensure(...tasks);
    } catch (error) {
      await endAllChildren();
      await Promise.allSettled(this.promises.values());
      throw error;
    }
  }

  #one(task) {
    if (!this.promises.has(task.id)) this.promises.set(task.id, this.#work(task));
    return this.promises.get(task.id);
  }

  async #work(task) {
    await this.ensure(...(task.needs ?? []));
    await this.#acquire();
    try {
      await this.#runOrSkip(task);
    } finally {
      this.#release();
    }
  }

  async #runOrSkip(task) {
    if (isEnding()) throw new Interrupted();
    const { files = [], facts = [], outputs = [] } = task.inputs?.() ?? {};
    const value = fingerprint(this.root, files, facts);
    const upToDate = task.inputs ? this.stamps.matches(task.id, value, outputs) : await task.ready?.();
    if (upToDate) {
      this.reporter.skipped(task.title);
      return;
    }
    this.stamps.clear(task.id);
    const step = this.makeStep(task.id, task.title);
    this.reporter.started(step);
    try {
      await task.run(step);
      if (task.inputs) this.stamps.save(task.id, value);
      this.reporter.ended(step, "✓");
    } catch (error) {
      this.reporter.ended(step, error instanceof Interrupted ? "–" : "✗", error instanceof Interrupted ? "stopped" : "");
      throw error;
    } finally {
      await step.close();
    }
  }

  async #acquire() {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    await new Promise((resume) => this.waiting.push(resume));
  }

  #release() {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}
