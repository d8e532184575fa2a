import { ChatClient } from "@outcrop/client";

export async function once(message: string): Promise<string> {
  using client = new ChatClient();
  const disposable: Disposable = client;
  disposable[Symbol.dispose]();
  return (await client.sendMessage({ message })).content;
}
