/**
 * The stream layer's events in the connection's words.
 *
 * @module
 */
import type { StreamEvent } from "../streams/types.ts";
import type { ConnectionEvent } from "./events.ts";

/** One stream event as a connection event. */
export function toConnectionEvent(event: StreamEvent): ConnectionEvent {
  switch (event.type) {
    case "opened":
      return { type: "stream", id: event.id, kind: event.kind };
    case "closed":
      return { type: "stream-closed", id: event.id };
    case "streams":
      return { type: "streams-available" };
    default:
      return event;
  }
}
