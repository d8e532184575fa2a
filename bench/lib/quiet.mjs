// Timed runs want the machine for themselves.

import { pause } from "./children.mjs";
import { company } from "./process.mjs";

/** A run that other programs take more than this share of the machine from is made again. */
const DISTURBED_SHARE = 0.08;
/** How often that may happen in one measurement. */
const MAX_REPEATS = 3;
/** How long one measurement waits, in all, for others to be done. */
const MAX_WAIT_MS = 45_000;
const LOOK_MS = 1_000;

/** For one measurement, whose servers are `servers`. */
export class Quiet {
  #running;
  #repeats = 0;
  #waitedMs = 0;
  #disturbed = 0;

  constructor(servers) {
    this.#running = servers.map((server) => server.child.pid);
  }

  /** Says how many runs count although they were disturbed. */
  report(note) {
    if (this.#disturbed > 0) note(`${this.#disturbed} runs were disturbed by other programs and count all the same`);
  }

  /** What `work` gave when nobody else was at work, as far as patience goes. */
  async run(work) {
    for (;;) {
      await this.#wait();
      const { result, othersShare } = await company(this.#running, work);
      if (othersShare <= DISTURBED_SHARE) return result;
      if (this.#repeats >= MAX_REPEATS) {
        this.#disturbed += 1;
        return result;
      }
      this.#repeats += 1;
    }
  }

  async #wait() {
    while (this.#waitedMs < MAX_WAIT_MS) {
      const { othersShare } = await company(this.#running, () => pause(LOOK_MS));
      if (othersShare <= DISTURBED_SHARE) return;
      this.#waitedMs += LOOK_MS;
    }
  }
}
