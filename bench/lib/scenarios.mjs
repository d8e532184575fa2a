// The answers that the emulator gives, each asked for by its prompt.

/** One answer: `tokens` deltas, `perSecond` of them a second (0: as fast as they go), stamped with the time they were due or not. */
export class Scenario {
  constructor(name, tokens, perSecond = 0, stamped = false) {
    Object.assign(this, { prompt: `bench ${name}.`, tokens, perSecond, stamped });
  }

  get step() {
    const intervalUs = this.perSecond === 0 ? 0 : 1_000_000 / this.perSecond;
    return { when: { prompt: this.prompt }, do: { bench: { deltas: this.tokens, intervalUs, stamped: this.stamped } } };
  }
}

/** An answer in Markdown with headings, a list, a table and a program, of exactly so many tokens. */
class Text {
  constructor(name, tokens, perSecond) {
    Object.assign(this, { prompt: `Explain rivers, ${name}.`, tokens, perSecond });
  }

  get step() {
    return { when: { prompt: this.prompt }, do: { lengthTokens: this.tokens, firstTokenMs: 0, tokensPerSecond: this.perSecond } };
  }
}

const RATE = 50;

/** As fast as they come. */
export const burst = (tokens) => BURSTS[tokens] ?? missing(tokens);
/** At the speed of a model, for so many seconds. */
export const paced = (seconds) => PACED[seconds] ?? missing(seconds);
/** The same with stamps. */
export const stamped = (seconds) => STAMPED[seconds] ?? missing(seconds);

/** What is shown in pages: at the speed of a fast model, and as fast as it comes. */
export const TEXTS = { paced: new Text("paced", 1_000, 100), burst: new Text("burst", 1_000, 0), short: new Text("short", 200, 100) };

const BURSTS = table([1, 1_000, 2_000, 4_000, 8_000, 20_000], (tokens) => new Scenario(`burst ${tokens}`, tokens));
const PACED = table([2, 4, 8], (seconds) => new Scenario(`paced ${seconds}`, seconds * RATE, RATE));
const STAMPED = table([4, 6, 8], (seconds) => new Scenario(`stamped ${seconds}`, seconds * RATE, RATE, true));

/** The emulator's script. */
export const SCRIPT = { steps: [BURSTS, PACED, STAMPED, TEXTS].flatMap((scenarios) => Object.values(scenarios).map((scenario) => scenario.step)) };

function table(keys, make) {
  return Object.fromEntries(keys.map((key) => [key, make(key)]));
}

function missing(key) {
  throw new Error(`the emulator's script has no scenario for ${key}`);
}
