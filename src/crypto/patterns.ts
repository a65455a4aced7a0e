/**
 * Handshake patterns of the Noise protocol framework (revision 34, sections 7 to 9) and their names.
 *
 * @module
 */

import { SttError } from "../errors.ts";
import type { AeadName } from "./provider.ts";

/** One step of a message. `psk` takes the next pre-shared key of the list. */
export type NoiseToken = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** A Noise protocol name taken apart. */
export interface NoiseProtocol {
  /** The whole name, which is hashed into the handshake. */
  readonly name: string;
  /** True when each side knows the other's static key beforehand: the initiator's, the responder's. */
  readonly preMessages: { readonly initiator: boolean; readonly responder: boolean };
  /** The messages in turn, the initiator's first. */
  readonly messages: readonly (readonly NoiseToken[])[];
  /** The cipher: ChaChaPoly or AESGCM in Noise's words. */
  readonly aead: AeadName;
  /** Number of pre-shared keys. */
  readonly psks: number;
}

interface Pattern {
  readonly initiatorKnown?: true;
  readonly responderKnown?: true;
  readonly messages: readonly string[];
}

// The patterns for which public vectors are at hand; another one is another row.
const PATTERNS: ReadonlyMap<string, Pattern> = new Map<string, Pattern>([
  ["NN", { messages: ["e", "e ee"] }],
  ["KK", { initiatorKnown: true, responderKnown: true, messages: ["e es ss", "e ee se"] }],
  ["IK", { responderKnown: true, messages: ["e es s ss", "e ee se"] }],
  ["XX", { messages: ["e", "e ee s es", "s se"] }],
]);

const AEADS: ReadonlyMap<string, AeadName> = new Map<string, AeadName>([
  ["ChaChaPoly", "chacha20-poly1305"],
  ["AESGCM", "aes-256-gcm"],
]);

const NAME = /^Noise_([A-Z]+)((?:psk\d)(?:\+psk\d)*)?_25519_([A-Za-z]+)_SHA256$/;

// Noise 9.4: psk0 comes before the first message's tokens, pskN after those of message N.
function insertPsks(messages: NoiseToken[][], modifiers: string, name: string): number {
  let count = 0;
  let before = -1;
  for (const modifier of modifiers === "" ? [] : modifiers.split("+")) {
    const place = Number(modifier.slice("psk".length));
    const message = messages[Math.max(place - 1, 0)];
    if (message === undefined || place <= before) {
      throw new SttError("CONFIG", `cannot use Noise protocol "${name}": ${modifier} has no place`);
    }
    if (place === 0) message.unshift("psk");
    else message.push("psk");
    before = place;
    count++;
  }
  return count;
}

/**
 * Takes a Noise protocol name apart: patterns NN, KK, IK and XX with any psk modifiers, 25519, ChaChaPoly or AESGCM, SHA256.
 *
 * @throws {SttError} CONFIG when the name is malformed or not supported.
 *
 * @example
 * ```ts
 * import { parseNoiseProtocol } from "@seigr/stt/crypto";
 * const protocol = parseNoiseProtocol("Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256");
 * console.log(protocol.psks, protocol.messages[2]!.join()); // 2 "s,se,psk"
 * ```
 */
export function parseNoiseProtocol(name: string): NoiseProtocol {
  const [, base = "", modifiers = "", cipher = ""] = NAME.exec(name) ?? [];
  const pattern = PATTERNS.get(base);
  const aead = AEADS.get(cipher);
  if (pattern === undefined || aead === undefined) {
    throw new SttError("CONFIG", `cannot use Noise protocol "${name}": unknown pattern or cipher`);
  }
  const messages = pattern.messages.map((tokens) => tokens.split(" ") as NoiseToken[]);
  const psks = insertPsks(messages, modifiers, name);
  return {
    name,
    preMessages: {
      initiator: pattern.initiatorKnown ?? false,
      responder: pattern.responderKnown ?? false,
    },
    messages,
    aead,
    psks,
  };
}
