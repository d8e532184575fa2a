import type { Client, Conversations } from "@outcrop/solid";
import { UsagePage } from "@outcrop/solid/usage";
import { sessionAddress } from "./route.ts";
import "@outcrop/solid/usage.css";

/** The page of usage, with its style sheet: loaded when it is looked at first. */
export function UsageView(props: { client: Client; conversations: Conversations }) {
  return <UsagePage client={props.client} conversations={props.conversations} sessionHref={sessionAddress} />;
}
