import { ChatClient } from "@outcrop/client";

// @ts-expect-error This `lib` has no such symbol, and the package brings none.
void Symbol.dispose;
new ChatClient().close();
