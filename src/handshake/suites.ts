/**
 * Cipher suites and the choice of suite and version (SPEC 6.1, 6.2).
 *
 * @module
 */
import { SUITE_AES_256_GCM, SUITE_CHACHA20_POLY1305, VERSION } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { WireInteger } from "./messages.ts";

/** Versions that this implementation speaks. */
export const VERSIONS: readonly number[] = [VERSION];

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [SUITE_CHACHA20_POLY1305, "Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256"],
  [SUITE_AES_256_GCM, "Noise_XXpsk0+psk3_25519_AESGCM_SHA256"],
]);

/** The Noise protocol name of a suite. */
export function noiseProtocolOf(suite: number): string {
  const name = PROTOCOLS.get(suite);
  if (name === undefined) {
    throw new SttError("CONFIG", `cannot use suite ${suite}: it is neither 1 nor 2`);
  }
  return name;
}

/** @throws {SttError} `CONFIG` unless `suites` names 1, 2 or both, each once. */
export function checkSuites(suites: readonly number[]): void {
  if (suites.length === 0 || new Set(suites).size !== suites.length) {
    throw new SttError("CONFIG", `cannot use suites [${suites}]: empty or a suite twice`);
  }
  for (const suite of suites) noiseProtocolOf(suite);
}

/** The first of `preferred` that `offered` contains. */
export function firstCommon(
  preferred: readonly WireInteger[],
  offered: readonly WireInteger[],
): WireInteger | undefined {
  return preferred.find((suite) => offered.includes(suite));
}

/** `suites` with `front` moved to the front. */
export function moveToFront(suites: readonly number[], front: number): number[] {
  return [front, ...suites.filter((suite) => suite !== front)];
}

/**
 * Checks that nobody talked the two sides into less than they have in common. Both sides call it with what the
 * encrypted payloads say, so that a change of HELLO, RETRY or RESPONSE on the way cannot stay unseen.
 *
 * @param initiatorSuites the initiator's own order, before any RETRY
 * @returns the error to end the handshake with: `SUITE`, `VERSION` or undefined
 */
export function downgradeError(
  inUse: { readonly suite: number; readonly version: number },
  initiatorSuites: readonly WireInteger[],
  responderSuites: readonly WireInteger[],
  peerVersions: readonly WireInteger[],
): SttError | undefined {
  const best = firstCommon(initiatorSuites, responderSuites);
  if (best !== inUse.suite) {
    return new SttError(
      "SUITE",
      `cannot accept suite ${inUse.suite}: the first that both sides have is ${best ?? "none"}`,
    );
  }
  const common = VERSIONS.filter((version) => peerVersions.includes(version));
  const highest = common.length === 0 ? undefined : Math.max(...common);
  if (highest !== inUse.version) {
    return new SttError(
      "VERSION",
      `cannot accept version ${inUse.version}: the highest that both sides have is ${
        highest ?? "none"
      }`,
    );
  }
  return undefined;
}
