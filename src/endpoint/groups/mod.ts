/**
 * Many peers: the same message to all of them, and topics that they subscribe to (SPEC 12.13).
 *
 * @module
 */
export {
  Group,
  type GroupEvents,
  type GroupOutcome,
  type MemberStats,
  type PeerSource,
  type SendToAllOptions,
} from "./group.ts";
export type { QueueOptions, SlowPolicy } from "./send_queue.ts";
export { publish, subscribe, type SubscribeOptions, SubscriptionReader } from "./subscribe.ts";
export { matchesTopic } from "./topic_filter.ts";
export {
  TOPIC_ENDPOINTS,
  type TopicPublishOptions,
  Topics,
  type TopicsEvents,
  type TopicsOptions,
} from "./topics.ts";
export type { TopicMessage } from "./wire.ts";
