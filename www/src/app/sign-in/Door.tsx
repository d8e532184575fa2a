import { createSignal, onCleanup, Show, type JSX } from "solid-js";
import type { ChatClient } from "@outcrop/client";
import { isSignedOut, pageClock } from "@outcrop/solid";
import { SignIn } from "./SignIn.tsx";
import { forgetToken, hasExpired, storedToken, storeToken } from "./token.ts";

/** A client with the token that it was made with. Another token is another person, and gets another client. */
interface Visit {
  readonly client: ChatClient;
  readonly token: string | undefined;
}

/**
 * Lets people in: with the token that the tab keeps, without one where the proxy asks for none, and else with the one they give here.
 * `children` gets a client, and how to sign out where there is a token.
 */
export function Door(props: {
  makeClient: (token: () => string | undefined) => ChatClient;
  children: (client: ChatClient, signOut: (() => void) | undefined) => JSX.Element;
}) {
  const [inside, setInside] = createSignal<Visit>();
  const [isTrying, setIsTrying] = createSignal(false);
  const [trouble, setTrouble] = createSignal<string>();
  let present: Visit | undefined;

  function enter(token: string | undefined): Visit {
    present?.client.close();
    const visit = { client: props.makeClient(() => token), token };
    present = visit;
    visit.client.on("status", (status) => {
      if (visit !== present) return;
      if (status.state === "open") {
        setIsTrying(false);
        if (token !== undefined) storeToken(token);
        setInside(visit);
      } else if (status.state === "closed") {
        setIsTrying(false);
        // Nobody was refused who has not tried.
        setTrouble(token === undefined ? undefined : status.reason);
        if (isSignedOut(status)) setInside(undefined);
      } else if (status.state === "reconnecting" && token !== undefined && hasExpired(token, pageClock())) {
        // The client would come back with a fresh one, if there were any.
        leave("The token has expired.");
      } else if (status.state === "reconnecting") {
        setTrouble(`The proxy cannot be reached: ${status.reason}. Trying again…`);
      }
    });
    return visit;
  }

  function tryToken(token: string): void {
    setIsTrying(true);
    setTrouble(undefined);
    // What comes of it is in the status, but for a client that cannot be loaded.
    enter(token).client.connect().catch((error: unknown) => {
      setIsTrying(false);
      setTrouble((before) => before ?? (error instanceof Error ? error.message : String(error)));
    });
  }

  function leave(reason?: string): void {
    present?.client.close();
    present = undefined;
    setIsTrying(false);
    setTrouble(reason);
    setInside(undefined);
  }

  function signOut(): void {
    forgetToken();
    leave();
  }

  setInside(enter(storedToken()));
  onCleanup(() => present?.client.close());
  return (
    <Show when={inside()} keyed fallback={<SignIn isTrying={isTrying()} trouble={trouble()} onToken={tryToken} />}>
      {(visit) => props.children(visit.client, visit.token === undefined ? undefined : signOut)}
    </Show>
  );
}
