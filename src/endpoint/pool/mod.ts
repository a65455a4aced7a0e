/**
 * Sessions with several targets, shared among requests.
 *
 * @module
 */
export type { Balance, PoolOptions } from "./options.ts";
export type { BreakerState, RequestVerdict, TargetState } from "./policy.ts";
export type { Lease, LeaseSource } from "./lease.ts";
export {
  type PoolDial,
  type PoolParts,
  SessionPool,
  type SessionPoolEvents,
  type TargetStats,
} from "./pool.ts";
export { PoolEndpoint } from "./pool_endpoint.ts";
