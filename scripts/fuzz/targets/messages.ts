/**
 * Handshake messages, and the transport parameters inside of them (SPEC 6). The first byte of an input says which.
 *
 * @module
 */
import { toHex } from "../../../src/codec/hex.ts";
import { decodeMessage, encodeMessage } from "../../../src/handshake/messages.ts";
import { agreed, verdict } from "../differential.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateEncodedValue, mutateFrame } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

const MAX_BYTES = 1500;
const MESSAGE = 0;
const PARAMETERS = 1;

function run(input: Uint8Array): string {
  const selector = input[0] ?? 0;
  const bytes = input.subarray(1);
  if (selector % 2 === PARAMETERS) {
    const answer = agreed({
      op: "parameters.decode",
      hex: toHex(bytes),
      suite: (selector & 2) === 0 ? 1 : 2,
      own_suites: (selector & 4) === 0 ? [1, 2] : [2, 1],
      own_app: (selector & 8) === 0 ? "" : "app",
      from_initiator: (selector & 16) !== 0,
    });
    return `parameters ${verdict(answer)}`;
  }
  const answer = verdict(agreed({ op: "message.parse", frame: toHex(bytes) }));
  const message = decodeMessage(bytes);
  if (message.type === "refused") return `${answer} ${message.error.code}`;
  oracle(
    toHex(encodeMessage(new Map(message.fields))) === toHex(bytes),
    "not the same bytes again",
  );
  return message.type;
}

function seeds(): Uint8Array[] {
  const messages = vectorBytes("handshake_messages", "message.parse", "frame", MAX_BYTES);
  const parameters = vectorBytes("handshake_messages", "parameters.decode", "hex", MAX_BYTES);
  return [
    ...messages.map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(MESSAGE))),
    ...parameters.map((bytes, index) =>
      spliced(bytes, 0, 0, Uint8Array.of(PARAMETERS | index << 1 & 0x1e))
    ),
  ];
}

export const messages: Target = {
  name: "messages",
  exact: true,
  maxBytes: MAX_BYTES,
  seeds,
  mutate(input, other, prng) {
    const selector = input[0] ?? 0;
    const bytes = input.slice(1);
    if (prng.chance(0.05)) return spliced(input, 0, 1, Uint8Array.of(prng.integer(0, 31)));
    const changed = prng.chance(0.3)
      ? mutateWith(bytes, other.slice(1), prng)
      : selector % 2 === PARAMETERS
      ? mutateEncodedValue(bytes, prng)
      : mutateFrame(bytes, prng);
    return spliced(changed, 0, 0, Uint8Array.of(selector));
  },
  run,
};
