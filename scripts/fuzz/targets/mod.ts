/** All targets of the fuzzer, in the order in which they run. @module */
import type { Target } from "../target.ts";
import { assembler } from "./assembler.ts";
import { frame } from "./frame.ts";
import { handshake } from "./handshake.ts";
import { messages } from "./messages.ts";
import { peer } from "./peer.ts";
import { records } from "./records.ts";
import { streams } from "./streams.ts";
import { values } from "./values.ts";
import { varint } from "./varint.ts";
import { wireBytes, wireUdp } from "./wire.ts";

export const TARGETS: readonly Target[] = [
  varint,
  values,
  frame,
  assembler,
  messages,
  records,
  handshake,
  streams,
  wireUdp,
  wireBytes,
  peer,
];
