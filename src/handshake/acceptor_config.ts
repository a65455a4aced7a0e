/**
 * Checks of a listener's options before the first HELLO.
 *
 * @module
 */
import { KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { encodeParameters, negotiation } from "./parameters.ts";
import { checkSuites } from "./suites.ts";
import type { AcceptorConfig } from "./types.ts";

const MAX_SEEDS = 64;

/** @throws {SttError} `CONFIG` naming the option that cannot be used. */
export function checkAcceptorConfig(config: AcceptorConfig): void {
  const { seeds, suites, pairKey, parameters, resetToken } = config;
  // SPEC 5: each HELLO costs one HMAC per seed, strangers' too.
  if (seeds.length === 0 || seeds.length > MAX_SEEDS) {
    throw new SttError(
      "CONFIG",
      `cannot listen: ${seeds.length} seeds is not within 1 to ${MAX_SEEDS}`,
      { limit: MAX_SEEDS },
    );
  }
  checkSuites(suites);
  if (pairKey instanceof Uint8Array && pairKey.length !== KEY_BYTES) {
    throw new SttError("CONFIG", `cannot use pairKey: ${pairKey.length} bytes is not ${KEY_BYTES}`);
  }
  checkPositive("halfOpen", config.halfOpen);
  checkPositive("halfOpenPerAddress", config.halfOpenPerAddress);
  checkPositive("handshakeRate", config.handshakeRate);
  checkPositive("maxNetworks", config.maxNetworks);
  checkPositive("maxNonces", config.maxNonces);
  checkPositive("timeoutMs", config.timeoutMs);
  const longest = resetToken === undefined ? parameters : {
    ...parameters,
    reset: new Uint8Array(TAG_BYTES),
  };
  encodeParameters(longest, negotiation(suites[0] as number, suites));
}

function checkPositive(option: string, value: number | undefined): void {
  if (value === undefined || value > 0) return;
  throw new SttError("CONFIG", `cannot use ${option}: ${value} is not above 0`);
}
