/**
 * What a peer does with a message at the point where the genuine one would come: taken, or refused with one of the
 * data's verdicts (SPEC 6.2 to 6.4, in the order of its checks).
 *
 * @module
 */
import { hex, Refusal, same, unhex } from "./bytes.ts";
import {
  confirmationOf,
  type HandshakeInputs,
  type HandshakeResult,
  NOISE_NAMES,
  prologueOf,
  seedId,
  seedKeys,
  sessionIdOf,
  staticSecret,
} from "./handshake.ts";
import {
  bytesOf,
  encodeFields,
  type Fields,
  intOf,
  intsOf,
  readMessage,
  without,
} from "./messages.ts";
import { TwinNoise } from "./noise.ts";
import { readParameters } from "./parameters.ts";
import { publicKey } from "./primitives.ts";
import { cookieHolds, type CookieInputs, cookieOf, makeRetry } from "./retry.ts";

/** The listener's settings for one message; the data may override them per entry. */
export interface ListenerSettings {
  readonly seeds: readonly string[];
  readonly suites: readonly number[];
  readonly versions: readonly number[];
  readonly nowMs: bigint;
  readonly cookie?: CookieInputs | undefined;
  /** Nonces seen before, hex. */
  readonly seen: ReadonlySet<string>;
  readonly staticId: string;
  readonly app: string;
  /** The pair key of a static key, hex. */
  readonly pairKey: string | null;
}

export interface Verdict {
  /** "ok" or one of the data's verdicts. */
  readonly verdict: string;
  /** The RETRY frame that answers, hex. */
  readonly answer?: string;
  readonly parameters?: Fields;
}

function judge(run: () => Omit<Verdict, "verdict"> & { verdict?: string }): Verdict {
  try {
    return { verdict: "ok", ...run() };
  } catch (error) {
    if (error instanceof Refusal) return { verdict: error.code };
    throw error;
  }
}

function expectType(frame: Uint8Array, type: string): { fields: Fields } {
  const message = readMessage(frame);
  if (message.type !== type) throw new Refusal("type");
  return message;
}

const FRESH_MS = 120_000n;

export function judgeHello(frame: Uint8Array, listener: ListenerSettings): Verdict {
  return judge(() => {
    const { fields } = expectType(frame, "HELLO");
    const nonce = bytesOf(fields, "nonce");
    const wanted = hex(bytesOf(fields, "seed_id"));
    const seed = listener.seeds.map(unhex).find((one) => hex(seedId(one, nonce)) === wanted);
    if (seed === undefined) throw new Refusal("seed_id");
    const retry = (content: Parameters<typeof makeRetry>[1]) => ({
      verdict: "retry",
      answer: makeRetry(seed, content).frame,
    });
    if (!listener.versions.includes(Number(intOf(fields, "version")))) {
      return retry({ nonce, code: 2, versions: listener.versions });
    }
    const suites = intsOf(fields, "suites");
    const suite = suites[0] as number;
    if (!listener.suites.includes(suite)) {
      if (!suites.some((id) => listener.suites.includes(id))) throw new Refusal("suite");
      return retry({ nonce, code: 3, suites: listener.suites });
    }
    const age = listener.nowMs - intOf(fields, "timestamp");
    const stale = age > FRESH_MS || -age > FRESH_MS;
    if (stale && listener.cookie !== undefined) {
      const cookie = fields.cookie === undefined ? undefined : bytesOf(fields, "cookie");
      if (cookie === undefined || !cookieHolds(listener.cookie, nonce, cookie, listener.nowMs)) {
        const minute = Number(listener.nowMs / 60000n);
        return retry({ nonce, code: 1, cookie: cookieOf(listener.cookie, nonce, minute) });
      }
    }
    const noise = new TwinNoise({
      protocolName: NOISE_NAMES[suite] as string,
      initiator: false,
      prologue: prologueOf(fields),
      psks: [seedKeys(seed).psk],
    });
    const first = noise.read(Uint8Array.from([...nonce, ...bytesOf(fields, "commitment")]));
    if (first === undefined || first.length > 0) throw new Refusal("commitment");
    if (listener.seen.has(hex(nonce))) throw new Refusal("replay");
    return {};
  });
}

export interface InitiatorSettings {
  /** A pinned nodeId, hex. */
  readonly expect?: string | undefined;
}

/** RESPONSE at the initiator whose HELLO is the case's genuine one. */
export function judgeResponse(
  frame: Uint8Array,
  input: HandshakeInputs,
  result: HandshakeResult,
  settings: InitiatorSettings = {},
): Verdict {
  return judge(() => {
    const { fields } = expectType(frame, "RESPONSE");
    const own = bytesOf(result.messages.HELLO.fields, "nonce");
    const nonce = bytesOf(fields, "nonce");
    if (!same(sessionIdOf(own, nonce), bytesOf(fields, "session_id"))) throw new Refusal("attempt");
    const { initiator } = input;
    const suite = Number(intOf(fields, "suite"));
    if (suite !== initiator.suites[0]) throw new Refusal("suite");
    const noise = result.states.response.clone();
    noise.mixHash(encodeFields(without(fields, "nonce", "challenge")));
    const payload = noise.read(Uint8Array.from([...nonce, ...bytesOf(fields, "challenge")]));
    if (payload === undefined) throw new Refusal("crypto");
    const peer = hex(noise.remoteStatic as Uint8Array);
    checkPeer(peer, hex(publicKey(staticSecret(unhex(initiator.node_seed)))), settings.expect);
    const parameters = readParameters(payload, {
      suite,
      version: Math.max(...initiator.versions),
      ownSuites: initiator.suites,
      ownVersions: initiator.versions,
      ownApp: appOf(initiator.payload),
      fromInitiator: false,
    });
    return { parameters };
  });
}

function checkPeer(peer: string, own: string, expect: string | undefined): void {
  if (peer === own) throw new Refusal("self");
  if (expect !== undefined && peer !== expect) throw new Refusal("identity");
}

export function appOf(payload: Fields): string {
  const app = payload.app;
  return app !== undefined && "text" in app ? app.text : "";
}

/** AUTH_PROOF at the responder that answered the case's genuine HELLO. */
export function judgeAuthProof(
  frame: Uint8Array,
  input: HandshakeInputs,
  result: HandshakeResult,
): Verdict {
  return judge(() => {
    const { fields } = expectType(frame, "AUTH_PROOF");
    if (!same(result.sessionId, bytesOf(fields, "session_id"))) throw new Refusal("attempt");
    const { responder } = input;
    const noise = result.states.authProof.clone();
    noise.mixHash(encodeFields(without(fields, "proof")));
    const payload = noise.read(bytesOf(fields, "proof"));
    if (payload === undefined) throw new Refusal("crypto");
    const peer = hex(noise.remoteStatic as Uint8Array);
    checkPeer(peer, hex(publicKey(staticSecret(unhex(responder.node_seed)))), undefined);
    const parameters = readParameters(payload, {
      suite: input.suite,
      version: Math.max(...responder.versions),
      ownSuites: responder.suites,
      ownVersions: responder.versions,
      ownApp: appOf(responder.payload),
      fromInitiator: true,
    });
    return { parameters };
  });
}

/** FINAL at the initiator that sent the case's genuine AUTH_PROOF. */
export function judgeFinal(frame: Uint8Array, result: HandshakeResult): Verdict {
  return judge(() => {
    const { fields } = expectType(frame, "FINAL");
    if (!same(result.sessionId, bytesOf(fields, "session_id"))) throw new Refusal("attempt");
    const expected = confirmationOf(result.secrets.final, result.hash, fields);
    if (!same(expected, bytesOf(fields, "confirmation"))) throw new Refusal("confirmation");
    return {};
  });
}

/** RETRY at an initiator whose open nonce is `nonce`. */
export function judgeRetry(frame: Uint8Array, seed: Uint8Array, nonce: Uint8Array): Verdict {
  return judge(() => {
    const { fields } = expectType(frame, "RETRY");
    if (!same(bytesOf(fields, "nonce"), nonce)) throw new Refusal("attempt");
    const genuine = makeRetry(seed, {
      nonce,
      code: Number(intOf(fields, "code")),
      cookie: bytesOf(fields, "cookie"),
      versions: intsOf(fields, "versions"),
      suites: intsOf(fields, "suites"),
    });
    const mac = (genuine.fields.mac as { bytes: string }).bytes;
    if (mac !== hex(bytesOf(fields, "mac"))) throw new Refusal("crypto");
    return {};
  });
}
