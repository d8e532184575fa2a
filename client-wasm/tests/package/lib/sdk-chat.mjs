// The AI SDK's own chat, which useChat of every framework is built on, with plain values for a framework's state.

class State {
  status = "ready";
  error = undefined;
  constructor(messages = []) {
    this.messages = messages;
  }
  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (at, message) => (this.messages = this.messages.with(at, structuredClone(message)));
  snapshot = structuredClone;
}

/** The class of chats of a version of the SDK, in the conversation "s". */
export function chatOf({ AbstractChat }) {
  return class extends AbstractChat {
    constructor({ messages, ...init }) {
      super({ id: "s", ...init, state: new State(messages) });
    }
  };
}
