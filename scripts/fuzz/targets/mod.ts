/** All targets of the fuzzer, in the order in which they run. @module */
import type { Target } from "../target.ts";
import { address } from "./address.ts";
import { assembler } from "./assembler.ts";
import { capture } from "./capture.ts";
import { continuity } from "./continuity.ts";
import { decode } from "./decode.ts";
import { endpoint } from "./endpoint.ts";
import { files } from "./files.ts";
import { frame } from "./frame.ts";
import { handshake } from "./handshake.ts";
import { messages } from "./messages.ts";
import { peer } from "./peer.ts";
import { records } from "./records.ts";
import { requests } from "./requests.ts";
import { sealed } from "./sealed.ts";
import { services } from "./services.ts";
import { stored } from "./stored.ts";
import { streams } from "./streams.ts";
import { topics } from "./topics.ts";
import { values } from "./values.ts";
import { varint } from "./varint.ts";
import { websocket } from "./websocket.ts";
import { wireBytes, wireUdp } from "./wire.ts";

export const TARGETS: readonly Target[] = [
  varint,
  values,
  frame,
  assembler,
  messages,
  handshake,
  records,
  streams,
  wireUdp,
  wireBytes,
  peer,
  endpoint,
  websocket,
  address,
  decode,
  capture,
  files,
  requests,
  topics,
  services,
  continuity,
  stored,
  sealed,
];
