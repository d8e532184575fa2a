// What a task or a test works with while it runs: a log file that takes the output of its programs, and the last line of it.

import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { exitCode, Interrupted, isEnding, startChild } from "./children.mjs";
import { StepFailure } from "./failures.mjs";
import { ROOT, shown, STATE } from "./paths.mjs";

const TAIL_LINES = 40;

/** Programs print for a log: no colours, no progress bars. */
const PLAIN_OUTPUT = { NO_COLOR: "1", CARGO_TERM_COLOR: "never", CARGO_TERM_PROGRESS_WHEN: "never", FORCE_COLOR: undefined };

export class Step {
  constructor(id, title) {
    this.title = title;
    this.lastLine = "";
    this.summary = "";
    this.tail = [];
    mkdirSync(join(STATE, "logs"), { recursive: true });
    this.logPath = join(STATE, "logs", `${id}.log`);
    this.log = createWriteStream(this.logPath);
  }

  /** Writes a line to the log; it becomes the line shown as progress. */
  note(line) {
    this.log.write(`${line}\n`);
    const plain = stripAnsi(line).trimEnd();
    if (plain === "") return;
    this.lastLine = plain.trim();
    this.tail.push(plain);
    if (this.tail.length > TAIL_LINES) this.tail.shift();
  }

  /**
   * Runs a program to its end with its output in the log. Returns its standard output; throws `StepFailure` when it cannot be
   * started, ends with an error, or is not done after `timeoutMs`.
   */
  async run(command, args, { cwd = ROOT, env = {}, timeoutMs = null } = {}) {
    this.note(`$ ${[command, ...args].map(quoted).join(" ")}`);
    const child = startChild(command, args, { cwd, env: merged(env), stdio: ["ignore", "pipe", "pipe"] });
    const stdout = [];
    const reading = [
      eachLine(child.stdout, (line) => {
        stdout.push(line);
        this.note(line);
      }),
      eachLine(child.stderr, (line) => this.note(line)),
    ];
    let timedOut = false;
    const timer = timeoutMs === null ? null : setTimeout(() => {
      timedOut = true;
      process.kill(-child.pid, "SIGKILL");
    }, timeoutMs);
    const code = await new Promise((done, failed) => {
      child.once("error", (error) => failed(this.failure(`${command} cannot be started (${error.code})`)));
      exitCode(child).then(done, failed);
    }).finally(() => clearTimeout(timer));
    await Promise.all(reading);
    if (isEnding()) throw new Interrupted();
    if (timedOut) throw this.failure(`${command} was not done after ${timeoutMs / 1000} s`);
    if (code !== 0) throw this.failure(`${command} ended with code ${code}`);
    return stdout.join("\n");
  }

  failure(reason) {
    return new StepFailure(this.title, reason, { tail: [...this.tail], logPath: shown(this.logPath) });
  }

  close() {
    return new Promise((done) => this.log.end(done));
  }
}

/** The environment of this process with `changes`; undefined removes a variable. */
export function merged(changes) {
  const env = { ...process.env, ...PLAIN_OUTPUT, ...changes };
  for (const name of Object.keys(env)) {
    if (env[name] === undefined) delete env[name];
  }
  return env;
}

/** `text` without colours and the like. */
export function stripAnsi(text) {
  return text.replace(/\u001b(\[[0-9;?]*[A-Za-z]|\([A-Z0-9])/g, "");
}

async function eachLine(stream, use) {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) use(line);
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
