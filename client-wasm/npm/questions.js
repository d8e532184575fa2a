// What the adapters have in common: which of the proxy's questions a message of a chat is, and what is stored of an answer.

const PAGE = 100;

/**
 * Asks a person's messages, also again or in the place of others. A chat has an id of its own for what was sent from its page: the proxy knows
 * it by the id of the request that it came with.
 *
 * A `question` has the chat's `id`, and `says()` gives its `message` and `attachments`. `settings` are `model` and `systemPrompt`.
 */
export class Questions {
  #client;
  #settings;
  /** The requests that a message of the page was asked with, by the chat's id of it. */
  #requests = new Map();

  constructor({ client, model, systemPrompt }) {
    this.#client = client;
    this.#settings = { model, systemPrompt };
  }

  /** Whether it was asked from this page. */
  has({ id }) {
    return this.#requests.has(id);
  }

  async ask(sessionId, question, settings, signal) {
    return this.#send(sessionId, question, await question.says(), settings, signal);
  }

  /** Asks the same again, for another answer; all that came after it gives way. */
  async again(sessionId, question, settings, signal) {
    const { stored, answer, unheard } = await this.#find(sessionId, question);
    if (answer) return this.regenerate(sessionId, answer, settings, signal, this.#request(question));
    const says = await question.says();
    if (stored?.attachments && !says.attachments) throw new Error("The files of this message are not in the page any more: send it anew, with its files.");
    return this.#send(sessionId, question, says, settings, signal, stored?.messageId, unheard);
  }

  /** Asks a question in the place of one that is `replaced` and may have the same id; all that came after that gives way. */
  async instead(sessionId, replaced, question, settings, signal) {
    const { stored, unheard } = await this.#find(sessionId, replaced);
    return this.#send(sessionId, question, await question.says(), settings, signal, stored?.messageId, unheard);
  }

  /** Has another answer made in the place of one. */
  regenerate(sessionId, messageId, settings, signal, id) {
    return this.#client.regenerate({ ...this.#chosen(settings), sessionId, messageId, id }, { signal });
  }

  #send(sessionId, question, says, settings, signal, replaces, unheard) {
    const id = this.#request(question, unheard);
    return this.#client.streamMessage({ ...says, ...this.#chosen(settings), sessionId, id, replaces }, { signal });
  }

  #chosen(settings) {
    const chosen = (name) => (settings?.[name] ?? this.#settings[name]) || undefined;
    return { model: chosen("model"), systemPrompt: chosen("systemPrompt") };
  }

  /** The id of a request with which a question is asked: a fresh one, where none is given. */
  #request({ id }, request = `chat_${crypto.getRandomValues(new BigUint64Array(2)).join("_")}`) {
    if (id !== undefined) this.#requests.set(id, [...(this.#requests.get(id) ?? []), request]);
    return request;
  }

  /**
   * A question as it is stored, and the id of its answer. Of one that was sent from this page and is not there `unheard` is the request to send
   * again, under which it cannot be asked twice.
   */
  async #find(sessionId, { id }) {
    const requests = this.#requests.get(id) ?? [];
    for (let next, before; ; before = next.messageId) {
      const { messages, hasMore, inProgress } = await history(this.#client, { sessionId, limit: PAGE, before });
      next ??= inProgress?.message;
      const at = messages.findLastIndex(({ role, messageId, requestId }) => role === "user" && (messageId === id || requests.includes(requestId)));
      const answer = messages[at + 1] ?? next;
      if (at >= 0) return { stored: messages[at], answer: answer?.role === "assistant" ? answer.messageId : undefined };
      if (!hasMore) break;
      next = messages[0];
    }
    if (requests.length > 0) return { unheard: requests[0] };
    throw new Error("The proxy does not have this message: load the conversation anew, with toUIMessages() and client.history(), or send a new one.");
  }
}

/** As `client.history()`; a conversation that is not there is empty. */
export async function history(client, request) {
  return client.history(request).catch((error) => {
    if (error.code === "session_not_found") return { messages: [], hasMore: false };
    throw error;
  });
}

/** The parts of a stored message: one that is a text and nothing else has none. */
export function storedParts({ parts, content }) {
  return parts ?? (content ? [{ type: "text", text: content }] : []);
}

/** What there is already of an answer under way, as the chunks of it. */
export function pastChunks(message) {
  return storedParts(message).map(({ type, text, ...call }) => {
    const chunk = type === "tool_use" ? { type: "tool", call } : { type: type === "reasoning" ? type : "token", content: text };
    return { ...chunk, messageId: message.messageId };
  });
}
