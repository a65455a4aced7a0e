/**
 * Judging the payload that the peer sent in message 2 or 3 (SPEC 6.2).
 *
 * @module
 */
import { SttError } from "../errors.ts";
import type { WireInteger } from "./messages.ts";
import {
  type DecodedParameters,
  decodeParameters,
  DEFAULT_TRANSPORT_PARAMETERS,
} from "./parameters.ts";
import { downgradeError } from "./suites.ts";
import type { HandshakeRole, TransportParameters } from "./types.ts";

/** What a payload is judged against. */
export interface PayloadRules {
  /** Our own role. */
  readonly role: HandshakeRole;
  readonly suite: number;
  readonly version: number;
  /** Our suites by preference, as configured. */
  readonly suites: readonly number[];
  /** Our application protocol. */
  readonly app: string;
}

/** The peer's parameters, and the reason to end the handshake if there is one. */
export interface JudgedPayload {
  /** The defaults where the payload did not decode. */
  readonly parameters: TransportParameters;
  /** What message 2 says of HELLO's ticket. */
  readonly resumed: boolean;
  readonly error?: SttError;
}

/** Decodes and checks a payload; never throws on what the peer wrote. */
export function judgePayload(rules: PayloadRules, payload: Uint8Array): JudgedPayload {
  let decoded: DecodedParameters;
  try {
    decoded = decodeParameters(payload, rules);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    return { parameters: DEFAULT_TRANSPORT_PARAMETERS, resumed: false, error };
  }
  const { parameters, suites, versions, resumed } = decoded;
  const error = downgrade(rules, suites, versions) ?? appError(rules.app, parameters.app);
  return error === undefined ? { parameters, resumed } : { parameters, resumed, error };
}

function downgrade(
  rules: PayloadRules,
  theirs: readonly WireInteger[],
  versions: readonly WireInteger[],
): SttError | undefined {
  return rules.role === "initiator"
    ? downgradeError(rules, rules.suites, theirs, versions)
    : downgradeError(rules, theirs, rules.suites, versions);
}

function appError(ours: string, theirs: string): SttError | undefined {
  if (ours === "" || theirs === "" || ours === theirs) return undefined;
  return new SttError(
    "REFUSED",
    `cannot accept session: the peer speaks ${JSON.stringify(theirs)}, we ${JSON.stringify(ours)}`,
  );
}
