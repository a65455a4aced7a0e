/**
 * Cryptography of STT/1: the provider interface and its `node:crypto` implementation, seeds, the key schedule and a
 * generic Noise engine. The provider for browsers is a module of its own, `@seigr/stt/noble`.
 *
 * @module
 */

export type {
  AeadKey,
  AeadName,
  CryptoProvider,
  ScryptParameters,
  X25519PrivateKey,
} from "./provider.ts";
export { nodeProvider } from "./node_provider.ts";
export { Secret, wipe } from "./secret.ts";
export { hkdf, HKDF_MAX_BYTES, hkdfExpand, hkdfExtract } from "./hkdf.ts";
export { NoiseHandshake, type NoiseOptions, type NoiseRole } from "./noise.ts";
export { type NoiseProtocol, type NoiseToken, parseNoiseProtocol } from "./patterns.ts";
export { CipherState } from "./cipher_state.ts";
export {
  confirmation,
  type EpochKeys,
  epochKeys,
  type ProtectionKeys,
  resetToken,
  SeedKeys,
  seedKeys,
  SessionSecrets,
  sessionSecrets,
  staticKey,
} from "./key_schedule.ts";
export { maskTicketId, resumptionPsk, type TicketKeys, ticketKeys } from "./tickets.ts";
export {
  generateSeed,
  parseSeed,
  SEED_MIN_BYTES,
  seedFromBase64Url,
  seedFromHex,
  seedFromPassphrase,
} from "./seeds.ts";
