/** Names of the two ends of a WebSocket. */
export interface WebSocketEnds {
  readonly scheme: "ws" | "wss";
  readonly remoteAddress: string;
  readonly remoteHost: string;
  readonly localAddress: string;
}
