"use client";

import { ChatClient } from "@outcrop/client";
import { useEffect, useState } from "react";

/** The proxy is not where the page is, so the page's address names it; on the server there is no page yet. */
const proxy = () => new URLSearchParams(globalThis.location?.search).get("proxy") ?? undefined;

export function Chat({ message }) {
  const [client] = useState(() => new ChatClient({ url: proxy() }));
  const [text, setText] = useState("");
  const [reason, setReason] = useState();
  useEffect(() => {
    const stop = new AbortController();
    (async () => {
      for await (const chunk of client.streamMessage({ message }, { signal: stop.signal })) {
        if (chunk.type === "token") setText((before) => before + chunk.content);
        else if (chunk.type === "done") setReason(chunk.stopReason);
      }
    })();
    return () => stop.abort();
  }, [client, message]);
  return <p id="answer" data-done={reason} data-status={client.status.state}>{text}</p>;
}
