/**
 * Any bytes in words.
 *
 * @module
 */
import { MAGIC_0, MAGIC_1 } from "../../constants.ts";
import { decodeValueAt } from "../../codec/values.ts";
import { SttError } from "../../errors.ts";
import { dissectFrames } from "./frames.ts";
import { bareMessage, isHandshakeValue } from "./handshake.ts";
import { fault, type Note } from "./note.ts";
import { dissectRecords } from "./records.ts";
import { dissectValue } from "./values.ts";

/** What bytes can be read as; `auto` looks at them. */
export type DissectAs = "auto" | "frames" | "value" | "records";

/** What the bytes are. Never throws on any input. */
export function dissect(bytes: Uint8Array, as: DissectAs = "auto"): readonly Note[] {
  if (bytes.length === 0) return [fault("input", "there are no bytes")];
  switch (as) {
    case "frames":
      return dissectFrames(bytes);
    case "value":
      return [dissectValue(bytes)];
    case "records":
      return dissectRecords(bytes);
    case "auto":
      if (bytes[0] === MAGIC_0 && bytes[1] === MAGIC_1) return dissectFrames(bytes);
      return [bareHandshake(bytes) ?? valueOrNothing(bytes)];
  }
}

function bareHandshake(bytes: Uint8Array): Note | undefined {
  try {
    const { value, size } = decodeValueAt(bytes, 0);
    return size === bytes.length && isHandshakeValue(value) ? bareMessage(value) : undefined;
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    return undefined;
  }
}

function valueOrNothing(bytes: Uint8Array): Note {
  const tree = dissectValue(bytes);
  if (tree.fault !== true) return tree;
  return fault("input", `no frame (it does not start with 53 54) and no value: ${tree.text}`);
}
