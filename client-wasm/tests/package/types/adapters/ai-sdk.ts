import { ChatClient, type StopReason } from "@outcrop/client";
import { OutcropChatTransport, toUIMessages, type OutcropUIMessage } from "@outcrop/client/ai-sdk";
import { DefaultChatTransport, type ChatInit, type ChatTransport, type UIMessage } from "ai";

const client = new ChatClient();
const { messages } = await client.history({ sessionId: "s" });

export const chat: ChatInit<OutcropUIMessage> = {
  id: "s",
  messages: toUIMessages(messages),
  transport: new OutcropChatTransport({ client, model: "model" }),
  onData: (part) => console.log(part.type satisfies "data-status", part.data.state),
  onFinish: ({ message }) => message.metadata?.stopReason satisfies StopReason | undefined,
};

// Where any transport does, this one does too.
export const plain: ChatTransport<UIMessage> = new OutcropChatTransport<UIMessage>({ client }) ?? new DefaultChatTransport();
// @ts-expect-error Without a client there is nothing to send with.
new OutcropChatTransport({});
