import { ChatClient as OutcropClient } from "@outcrop/client";
import { outcropConnection, toUIMessages } from "@outcrop/client/tanstack-ai";
import { ChatClient, type ConnectionAdapter } from "@tanstack/ai-client";

const client = new OutcropClient();
const connection = outcropConnection({ client });
const { messages } = await client.history({ sessionId: "s" });

new ChatClient({ connection, threadId: "s", initialMessages: toUIMessages(messages) });
connection satisfies ConnectionAdapter;
await connection.approveTool("call", true);
// @ts-expect-error A decision is yes or no.
await connection.approveTool("call");
