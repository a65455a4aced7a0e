/** Operations on topics over `src/endpoint/groups`. @module */
import { fromHex, toHex } from "../../src/codec/mod.ts";
import { filterFault, matchesTopic, topicFault } from "../../src/endpoint/groups/topic_filter.ts";
import {
  decodeMessage,
  decodeSubscription,
  encodeMessage,
  encodeSubscription,
} from "../../src/endpoint/groups/wire.ts";
import { type Operation, RefusedOperation } from "./notation.ts";

export const TOPIC_OPS: Readonly<Record<string, Operation>> = {
  "topic.match": (a) => {
    // In src a call with such an argument; on the wire it would be PROTOCOL.
    if ((filterFault(a.filter) ?? topicFault(a.topic)) !== undefined) {
      throw new RefusedOperation("PROTOCOL");
    }
    return { matches: matchesTopic(a.filter, a.topic) };
  },
  "topic.subscription.encode": (a) => ({ hex: toHex(encodeSubscription(a.filters)) }),
  "topic.subscription.decode": (a) => ({ filters: [...decodeSubscription(fromHex(a.hex))] }),
  "topic.message.encode": (a) => {
    const { topic, data, dropped } = a;
    const message = { topic, data: fromHex(data), dropped: Number(dropped) };
    return { hex: toHex(encodeMessage(message)) };
  },
  "topic.message.decode": (a) => {
    const { topic, data, dropped } = decodeMessage(fromHex(a.hex));
    return { topic, data: toHex(data), dropped: `${dropped}` };
  },
};
