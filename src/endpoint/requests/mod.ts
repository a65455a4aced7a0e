/**
 * Named endpoints: requests and replies, each on a stream of its own (SPEC 12.9).
 *
 * @module
 */
export type { HandlerReply, RequestHandler } from "./answering.ts";
export {
  Endpoints,
  type EndpointsEvents,
  type EndpointsOptions,
  type EndpointsStats,
  type RegisterOptions,
  type ServeOptions,
} from "./endpoints.ts";
export { Replies } from "./exchange.ts";
export { classifyFailure, type FailureClass } from "./failures.ts";
export { IncomingRequest } from "./incoming_request.ts";
export type { Items } from "./items.ts";
export { type ExchangeOptions, RemoteEndpoint, type RequestOptions } from "./remote_endpoint.ts";
export type { RetryPolicy } from "./retry.ts";
