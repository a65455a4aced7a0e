/** The built-in cases, by section of SPEC.md. @module */
import type { Case } from "../case.ts";
import { varintRules } from "./1_varint.ts";
import { valueRules } from "./2_values.ts";
import { frameRules, streamOfFramesRules } from "./3_frame.ts";
import { epochRules, keyRules, scheduleRules } from "./5_keys.ts";
import { replayRules, spliceRules } from "./6_attacks.ts";
import { keyAttackRules } from "./6_keys.ts";
import { noiseRules, suiteRules } from "./6_noise.ts";
import { orderRules } from "./6_order.ts";
import { strangerRules } from "./6_strangers.ts";
import { firstFrameRules } from "./7_first_frames.ts";
import { frameAttackRules } from "./7_attacks.ts";
import { messageRules } from "./6_messages.ts";
import { parameterRules } from "./6_parameters.ts";
import { protectedRules } from "./7_frames.ts";
import { streamAttackRules } from "./8_attacks.ts";
import { ackAttackRules, recordAttackRules } from "./9_attacks.ts";
import { recordRules, streamRules } from "./9_records.ts";
import { folderRules } from "./12_folders.ts";
import { requestRules } from "./12_requests.ts";
import { topicRules } from "./12_topics.ts";
import { contentRules } from "./14_content.ts";
import { sealedStreamRules } from "./14_sealed_streams.ts";
import { chamberRules, storeHeaderRules } from "./14_store.ts";
import { continuityRules, storedRules } from "./15_continuity.ts";
import { resumptionRules, ticketRules } from "./15_tickets.ts";
import { type Rule, ruleCases } from "./rule.ts";

/** The rules of each vector file that `scripts/gen_vectors.ts` writes. */
export const RULE_FILES: Readonly<Record<string, () => Rule[]>> = {
  varint: varintRules,
  values: valueRules,
  frame: () => [...frameRules(), ...streamOfFramesRules()],
  key_schedule: () => [...keyRules(), ...scheduleRules(), ...epochRules()],
  handshake_messages: () => [...messageRules(), ...parameterRules()],
  handshake: () => [
    ...suiteRules(),
    ...noiseRules(),
    ...orderRules(),
    ...strangerRules(),
    ...firstFrameRules(),
    ...keyAttackRules(),
    ...spliceRules(),
    ...replayRules(),
  ],
  session: () => [...protectedRules(), ...frameAttackRules()],
  stream: streamRules,
  records: recordRules,
  open_session: () => [...streamAttackRules(), ...recordAttackRules(), ...ackAttackRules()],
  requests: requestRules,
  folders: folderRules,
  topics: topicRules,
  sealed_record: () => [...storeHeaderRules(), ...chamberRules()],
  sealed_content: contentRules,
  sealed_stream: sealedStreamRules,
  resumption: () => [...ticketRules(), ...resumptionRules()],
  continuity: () => [...storedRules(), ...continuityRules()],
};

let made: readonly Rule[] | undefined;

/** All rules; their handshakes are computed once. */
export function allRules(): readonly Rule[] {
  made ??= Object.values(RULE_FILES).flatMap((rules) => rules());
  return made;
}

export function builtInCases(): Case[] {
  return ruleCases(allRules());
}
