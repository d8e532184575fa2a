// The surface of @outcrop/client, over the generated glue. Types and their documentation are in index.d.ts.
//
// No code of the page runs inside a call of the core: listeners are called from a microtask, and results are promises.

import load, { Core, cost_nano_usd } from "./outcrop_client.js";

/** How long a stream in a hidden tab, where no frames are painted, waits for more text. */
const HIDDEN_FRAME_MS = 100;

/** The longest time that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How much of an answer that nobody takes is kept outside the core. */
const MAX_HELD_CHARS = 65_536;

const OFFICE = "application/vnd.openxmlformats-officedocument.";

/** The media type of a file by the end of its name; browsers know some of these by other types, or not at all. */
const MEDIA = {
  png: "image/png",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  csv: "text/csv",
  doc: "application/msword",
  docx: `${OFFICE}wordprocessingml.document`,
  xls: "application/vnd.ms-excel",
  xlsx: `${OFFICE}spreadsheetml.sheet`,
  html: "text/html",
  txt: "text/plain",
  md: "text/markdown",
};

export const attachmentLimits = { maxFiles: 20, maxDocuments: 5, maxTotalBytes: 716_800, mediaTypes: Object.values(MEDIA) };

export class ChatError extends Error {
  constructor(code, message, details) {
    super(message, details?.cause && { cause: details.cause });
    this.code = code;
    this.retryable = details?.retryable ?? false;
    for (const key of ["retryAfterMs", "messageId", "usage"]) {
      if (details?.[key] !== undefined) this[key] = details[key];
    }
  }
}
ChatError.prototype.name = "ChatError";

export class ChatClient {
  #options;
  #core;
  #status = { state: "idle" };
  #refresh;
  #usage = EMPTY_USAGE();
  #closed = false;
  #replies = new Map();
  #streams = new Map();
  #listeners = { status: new Set(), usage: new Set() };
  #frames;
  #head = "";
  #followed;
  #held = "";

  constructor(options = {}) {
    this.#options = options;
    this.#frames = options.delivery === "immediate" ? undefined : new Frames();
  }

  async connect() {
    const core = await this.#ready();
    core.connect();
    return new Promise((resolve, reject) => {
      const settle = (status) => {
        if (status.state === "open") resolve(status.server);
        else if (status.state === "closed") reject(closedError(status));
        else return;
        this.#listeners.status.delete(settle);
      };
      this.#listeners.status.add(settle);
      settle(this.#status);
    });
  }

  async sendMessage(request, { signal } = {}) {
    if (signal?.aborted) throw aborted(signal);
    const attachments = request.attachments && (await readAttachments(request.attachments));
    const core = await this.#ready();
    if (signal?.aborted) throw aborted(signal);
    const data = await this.#ask(() => send(core, { ...request, attachments }, false), signal);
    const { messageId, content, stopReason, usage } = data.message;
    return { sessionId: data.sessionId, messageId, content, stopReason, usage, message: data.message };
  }

  streamMessage(request, { signal } = {}) {
    const stream = new Stream(request.sessionId, (core) => send(core, request, true), signal, this.#frames);
    const read = request.attachments && readAttachments(request.attachments).then((attachments) => (request = { ...request, attachments }));
    return this.#stream(stream, signal, read);
  }

  regenerate(request, { signal } = {}) {
    return this.#stream(new Stream(request.sessionId, (core) => again(core, request), signal, this.#frames), signal);
  }

  followMessage({ sessionId, inProgress: { message, seq } }, { signal } = {}) {
    const held = json({ sessionId, messageId: message.messageId, seq, state: "streaming", message });
    const stream = new Stream(sessionId, (core) => core.follow(held), signal, this.#frames);
    stream.isFollower = true;
    return this.#stream(stream, signal);
  }

  #stream(stream, signal, read) {
    if (signal?.aborted) stream.stop();
    (read ? read.then(() => this.#ready()) : this.#ready()).then(
      (core) => {
        if (!stream.start(core)) return;
        this.#streams.set(stream.handle, stream);
        stream.onEnd = () => this.#streams.delete(stream.handle);
      },
      (error) => stream.fail(error),
    );
    return stream;
  }

  createSession(request = {}) {
    return this.#call("chat.create_session", request);
  }

  listSessions(request = {}) {
    return this.#call("chat.list_sessions", request);
  }

  history(request) {
    return this.#call("chat.get_history", request);
  }

  renameSession(sessionId, title) {
    return this.#call("chat.rename_session", { sessionId, title });
  }

  async deleteSession(sessionId) {
    await this.#call("chat.delete_session", { sessionId });
  }

  async approveTool(decision) {
    await this.#call("chat.approve_tool", decision);
  }

  usageReport(query) {
    return this.#call("chat.get_usage", query);
  }

  costNanoUsd(price, usage) {
    if (!isLoaded) throw new ChatError("load_failed", "The WebAssembly module is not loaded yet: await connect() first.", { retryable: true });
    return cost_nano_usd(json({ price, usage }));
  }

  on(event, listener) {
    // One function may be added twice and is then called twice.
    const entry = (value) => listener(value);
    this.#listeners[event].add(entry);
    if (event === "status") call(entry, this.#status);
    return () => void this.#listeners[event].delete(entry);
  }

  get status() {
    return this.#status;
  }

  usage() {
    return this.#core ? JSON.parse(this.#core.usage()) : this.#usage;
  }

  close() {
    if (this.#core) this.#core.close();
    else if (!this.#closed) this.#setStatus({ state: "closed", reason: "The client was closed: make a new one." });
  }

  [Symbol.dispose ?? Symbol()]() {
    this.close();
  }

  async #ready() {
    if (this.#closed) throw closedError(this.#status);
    const { module, WebSocket = globalThis.WebSocket } = this.#options;
    if (!WebSocket) throw new ChatError("load_failed", "There is no WebSocket here: use Node 22 or newer, or give the option WebSocket a class, such as that of the npm package ws.");
    await loadOnce(module);
    if (this.#closed) throw closedError(this.#status);
    return (this.#core ??= new Core(address(this.#options.url), this.#hooks()));
  }

  #hooks() {
    return {
      // An error is followed by a close event. That of ws would end the process if nobody heard it.
      open: (url, protocol) => Object.assign(new (this.#options.WebSocket ?? WebSocket)(url, protocol), { onerror() {} }),
      listener: (receive) => (event) => this.#hold(event.data) || receive(event),
      head: (handle, head) => {
        this.#head = head;
        this.#followed = this.#streams.get(handle);
      },
      held: () => {
        const held = this.#held;
        this.#held = "";
        return held || undefined;
      },
      token: (attempt) => void this.#fetchToken(attempt),
      status: (json) => this.#setStatus(JSON.parse(json)),
      news: (handle, ended) => this.#streams.get(handle)?.news(ended),
      reply: (handle, ok, json) => {
        const reply = this.#replies.get(handle);
        this.#replies.delete(handle);
        if (ok) reply?.resolve(JSON.parse(json));
        else reply?.reject(chatError(JSON.parse(json)));
      },
      usage: () => this.#emit("usage", () => this.usage()),
    };
  }

  /**
   * Keeps a frame here that says more of an answer of which the core has said already that there is more: it crosses to the core when that
   * is taken, with all that came since. (In V8 comparing a slice takes a fifth of the time of startsWith.)
   */
  #hold(data) {
    const head = this.#head;
    if (!this.#followed?.hasNews || this.#held.length > MAX_HELD_CHARS) return false;
    if (typeof data !== "string" || data.slice(0, head.length) !== head) return false;
    const rest = data.slice(head.length);
    if (rest.includes("\n")) return false;
    this.#held += `${rest}\n`;
    return true;
  }

  async #fetchToken(attempt) {
    let token, reason;
    try {
      await null;
      token = await this.#options.token?.();
    } catch (error) {
      reason = `no token: ${error?.message ?? error}`;
    }
    this.#core?.token(attempt, token ?? undefined, reason);
  }

  /** Replaces the token a minute before it expires, or at half its time. */
  #refreshIn(expiresInMs) {
    const refresh = async () => {
      const token = await this.#options.token();
      this.#refreshIn((await this.#call("auth.refresh", { token })).expiresInMs);
    };
    // Where that fails, the proxy ends the connection with the token, and the next one asks for a fresh one.
    const later = () => refresh().catch(() => {});
    const wait = Math.max(expiresInMs - 60_000, expiresInMs / 2, 1_000);
    if (expiresInMs) this.#refresh = setTimeout(later, Math.min(wait, MAX_TIMER_MS));
  }

  #setStatus(status) {
    this.#status = status;
    clearTimeout(this.#refresh);
    this.#refreshIn(status.server?.expiresInMs);
    if (status.state === "closed") {
      this.#closed = true;
      // Later, since this may be called by the core itself, which has still to fail what is under way.
      queueMicrotask(() => this.#free());
    }
    this.#emit("status", () => status);
  }

  #free() {
    if (!this.#core) return;
    this.#usage = this.usage();
    this.#core.free();
    this.#core = undefined;
  }

  #emit(event, value) {
    if (this.#listeners[event].size === 0) return;
    queueMicrotask(() => {
      const current = value();
      for (const listener of [...this.#listeners[event]]) call(listener, current);
    });
  }

  async #call(kind, request) {
    const core = await this.#ready();
    return this.#ask(() => core.call(kind, json(request)));
  }

  #ask(start, signal) {
    return new Promise((resolve, reject) => {
      const handle = guarded(start);
      const abort = () => {
        this.#replies.delete(handle);
        this.#core?.cancel(handle);
        this.#core?.release(handle);
        reject(aborted(signal));
      };
      const settle = (done) => (value) => {
        signal?.removeEventListener("abort", abort);
        done(value);
      };
      this.#replies.set(handle, { resolve: settle(resolve), reject: settle(reject) });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

/** One streamed answer. Text waits in the core, joined, until somebody asks for it. */
class Stream {
  handle;
  onEnd;
  /** Somebody else asked for the answer: whoever leaves the loop only looks away. */
  isFollower = false;
  #stopped = false;
  #sessionId;
  #begin;
  #signal;
  #frames;
  #core;
  #chunks = [];
  #waiting = [];
  hasNews = false;
  #given = false;
  #over = false;
  #abort = () => this.stop();

  constructor(sessionId = "", begin, signal, frames) {
    this.#sessionId = sessionId;
    this.#begin = begin;
    this.#signal = signal;
    this.#frames = frames;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next() {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#settle();
      if (this.#waiting.length > 0 && this.hasNews) this.#schedule();
    });
  }

  return(value) {
    if (!this.#over) {
      this.#end();
      if (!this.isFollower) this.#core?.cancel(this.handle);
      this.#core?.release(this.handle);
    }
    this.#chunks = [];
    this.#settle();
    return Promise.resolve({ done: true, value });
  }

  /** Sends the message, unless the stream has ended meanwhile. */
  start(core) {
    if (this.#over) return false;
    try {
      this.handle = guarded(() => this.#begin(core));
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.#core = core;
    if (this.#stopped) core.cancel(this.handle);
    return true;
  }

  stop() {
    this.#stopped = true;
    if (this.#core) {
      if (!this.#over) this.#core.cancel(this.handle);
    } else if (!this.#over && !this.isFollower) {
      const sessionId = this.#sessionId;
      const usage = { ...NO_TOKENS, source: "reported" };
      this.#take([{ type: "done", sessionId, messageId: "", content: "", stopReason: "cancelled", usage }]);
    }
  }

  fail(error) {
    if (!this.#over) this.#take([{ type: "failed", error }]);
  }

  news(ended) {
    this.hasNews = true;
    if (ended) this.flush();
    else if (this.#waiting.length > 0) this.#schedule();
  }

  flush() {
    if (this.#over || !this.hasNews) return;
    this.hasNews = false;
    this.#given = true;
    this.#take(JSON.parse(this.#core.take(this.handle)));
  }

  /** The first text comes at once: that is what a person waits for. */
  #schedule() {
    if (this.#frames && this.#given) this.#frames.add(this);
    else this.flush();
  }

  #take(chunks) {
    for (const chunk of chunks) this.#chunks.push(chunk);
    const last = chunks.at(-1)?.type;
    if (last === "done" || last === "failed") this.#end();
    this.#settle();
  }

  #end() {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.onEnd?.();
  }

  #settle() {
    while (this.#waiting.length > 0 && (this.#chunks.length > 0 || this.#over)) {
      const { resolve, reject } = this.#waiting.shift();
      const chunk = this.#chunks.shift();
      if (!chunk) resolve({ done: true, value: undefined });
      else if (chunk.type === "failed") reject(chunk.error instanceof ChatError ? chunk.error : chatError(chunk.error));
      else resolve({ done: false, value: chunk });
    }
  }
}

/** Calls streams back at the next painted frame, or soon where none is painted. */
class Frames {
  #streams = new Set();

  add(stream) {
    this.#streams.add(stream);
    if (this.#streams.size > 1) return;
    const paints = typeof requestAnimationFrame === "function";
    let frame;
    const timer = setTimeout(() => {
      if (paints) cancelAnimationFrame(frame);
      this.#run();
    }, paints ? HIDDEN_FRAME_MS : 16);
    if (paints) {
      frame = requestAnimationFrame(() => {
        clearTimeout(timer);
        this.#run();
      });
    }
  }

  #run() {
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const stream of streams) stream.flush();
  }
}

const NO_TOKENS = { inputTokens: 0, outputTokens: 0, totalTokens: 0, cacheReadInputTokens: 0, cacheWriteInputTokens: 0 };

function EMPTY_USAGE() {
  const turns = { costNanoUsd: 0, unpricedTurns: 0, estimatedTurns: 0, turns: 0 };
  return { ...NO_TOKENS, ...turns, bySession: {}, byModel: {} };
}

let loading;
let isLoaded = false;

/** The module is loaded once for all clients, and again only after a failure. */
function loadOnce(module) {
  loading ??= Promise.resolve(module?.()).then((given) => load(given && { module_or_path: given })).then(
    () => (isLoaded = true),
    (cause) => {
      loading = undefined;
      const message = `The WebAssembly module could not be loaded (${cause?.message ?? cause}): check that the .wasm file is served, and call again.`;
      throw new ChatError("load_failed", message, { retryable: true, cause });
    },
  );
  return loading;
}

/** The WebSocket address of `url`. */
function address(url = "/ws") {
  try {
    const address = new URL(url, globalThis.location?.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    if (/^wss?:$/.test(address.protocol)) return address.href;
  } catch {}
  throw new ChatError("invalid_request", `The url ${url} is no address of a proxy: give one that begins with ws:, wss:, http: or https:`);
}

/** Sends a message. It always names a session, so that one that has to be sent again after a lost connection is known to be the same. */
function send(core, { id, resent = false, sessionId = newSessionId(), ...request }, streaming) {
  return core.send(json({ ...request, sessionId, streaming }), streaming, sessionId, request.model, id, resent);
}

/** Asks a question again. */
function again(core, { id, resent = false, ...request }) {
  return core.regenerate(json({ ...request, streaming: true }), request.sessionId, request.model, id, resent);
}

/** Files as they are sent. All are looked at before any is read. */
export async function readAttachments(files) {
  const { maxFiles, maxDocuments, maxTotalBytes, mediaTypes } = attachmentLimits;
  let [bytes, documents] = [0, 0];
  const checked = Array.from(files, (file, at) => {
    const { name = `file ${at + 1}`, data = "" } = file;
    const mediaType = file.mediaType ?? MEDIA[name.split(".").pop().toLowerCase()] ?? `${file.type}`.split(";")[0];
    const refuse = (code, why) => {
      throw new ChatError(code, `${name}: ${why}.`);
    };
    if (!mediaTypes.includes(mediaType)) refuse("invalid_request", "no model reads this kind of file: send an image, a PDF, a text or an Office document");
    const size = file.size ?? (data.replace(/=+$/, "").length * 3) >> 2;
    if (size === 0) refuse("invalid_request", "the file is empty: leave it out");
    bytes += size;
    documents += !mediaType.startsWith("image/");
    if (at >= maxFiles || documents > maxDocuments || bytes > maxTotalBytes) {
      refuse("message_too_large", `send at most ${maxFiles} files, ${maxDocuments} documents and ${maxTotalBytes >> 10} KiB in all`);
    }
    return { name, mediaType, data, file };
  });
  return Promise.all(checked.map(async ({ file, ...read }) => ({ ...read, data: read.data || (await base64(read.name, file)) })));
}

async function base64(name, file) {
  let text = "";
  try {
    for (const byte of new Uint8Array(await file.arrayBuffer())) text += String.fromCharCode(byte);
  } catch (cause) {
    throw new ChatError("invalid_request", `${name}: the file cannot be read: choose it again.`, { cause });
  }
  return btoa(text);
}

/** Unlike `crypto.randomUUID`, this works on pages without TLS too. */
function newSessionId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `ses_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** JSON that the proxy can read: half a surrogate pair is no Unicode text. */
function json(value) {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === "string" ? inner.replace(/\p{Surrogate}/gu, "\ufffd") : inner);
}

/** Runs `start`; what the core refuses becomes an error. */
function guarded(start) {
  try {
    return start();
  } catch (refusal) {
    throw typeof refusal === "string" ? chatError(JSON.parse(refusal)) : refusal;
  }
}

function chatError({ code, message, ...details }) {
  return new ChatError(code, message, details);
}

function closedError({ code, reason }) {
  const message = reason || `The proxy closed the connection for good (${code}): sign in and make a new client.`;
  return new ChatError("closed", message);
}

function aborted(signal) {
  return new ChatError("aborted", "The request was aborted.", { cause: signal.reason });
}

/** Calls a listener of the page. Its error is the page's, as if the browser had called it. */
function call(listener, value) {
  try {
    listener(value);
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else setTimeout(() => { throw error; });
  }
}
