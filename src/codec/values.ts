/**
 * Self-describing values (SPEC 2): the contents of handshake messages and of the toolkit's own services.
 *
 * @module
 */

export { encodeValue } from "./value_encoder.ts";
export {
  type DecodedValue,
  decodeValue,
  decodeValueAt,
  type ValueDecodeOptions,
} from "./value_decoder.ts";
export { Float, type SttValue } from "./value_types.ts";
