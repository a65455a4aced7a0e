/** One side of a handshake through a script of events: the operations initiator.run and responder.run. @module */
import { hex, unhex } from "./bytes.ts";
import { TwinInitiator, type TwinInitiatorConfig } from "./initiator.ts";
import type { Outcome, TwinSession } from "./outcome.ts";
import { type Source, TwinResponder, type TwinResponderConfig } from "./responder.ts";

export interface InitiatorScript extends TwinInitiatorConfig {
  readonly events: readonly { readonly receive: string; readonly at: string }[];
}

export interface ResponderScript extends TwinResponderConfig {
  readonly events: readonly (
    | { readonly receive: string; readonly at: string; readonly from?: Source }
    | { readonly accept: true; readonly at: string }
  )[];
}

/** What an event did, as a peer sees it, and the verdict that explains it. */
function visible(outcome: Outcome): Record<string, unknown> {
  return {
    result: outcome.verdict === "ok" || outcome.sent !== undefined
      ? "taken"
      : outcome.fatal === true
      ? "failed"
      : "dropped",
    verdict: outcome.verdict,
    sent: outcome.sent === undefined ? [] : [outcome.sent],
  };
}

function describe(session: TwinSession | undefined): Record<string, unknown> | null {
  if (session === undefined) return null;
  const { secrets } = session;
  return {
    session_id: hex(session.sessionId),
    suite: session.suite,
    peer: session.peer,
    handshake_hash: hex(session.hash),
    traffic_i2r: hex(secrets.traffic_i2r),
    traffic_r2i: hex(secrets.traffic_r2i),
    final: hex(secrets.final),
    exporter: hex(secrets.exporter),
    parameters: session.parameters,
    ...(session.resumed ? { resumed: true } : {}),
  };
}

export function runInitiator(script: InitiatorScript): Record<string, unknown> {
  const initiator = new TwinInitiator(script);
  const results = script.events.map((event) =>
    visible(initiator.receive(unhex(event.receive), event.at))
  );
  return {
    hello: initiator.hello,
    results,
    done: initiator.done,
    session: describe(initiator.session),
  };
}

const NOBODY: Source = { ip: "7f000001", port: 4780 };

export function runResponder(script: ResponderScript): Record<string, unknown> {
  const responder = new TwinResponder(script);
  const results = script.events.map((event) =>
    "accept" in event
      ? { result: "taken", verdict: "ok", sent: [responder.accept(event.at)] }
      : visible(responder.receive(unhex(event.receive), event.at, event.from ?? NOBODY))
  );
  return { results, session: describe(responder.session) };
}
