/**
 * TCP connections: `tcp://host:port`.
 *
 * @module
 */
import { connect, createServer } from "node:net";
import { SttError } from "../errors.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { dialAttempt } from "./dial_attempt.ts";
import { DEFAULT_MAX_CONNECTIONS } from "./limits.ts";
import { bind, unbind } from "./listening.ts";
import { LoopShare } from "./loop_share.ts";
import { TcpConnection } from "./tcp_connection.ts";
import type {
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
  TransportListener,
} from "./transport.ts";

function tcpAddress(text: string): Address {
  const address = parseAddress(text);
  if (address.scheme === "tcp") return address;
  throw new SttError("ADDRESS", `cannot use ${address.text}: the TCP transport takes tcp:`);
}

async function dialTcp(text: string, options: DialOptions = {}): Promise<TransportConnection> {
  const address = tcpAddress(text);
  if (address.port === 0) {
    throw new SttError("ADDRESS", `cannot connect to ${address.text}: port 0 is for listeners`);
  }
  return await dialAttempt<TransportConnection>(address.text, options, (done, fail) => {
    const socket = connect({ host: address.host, port: address.port });
    socket.once("error", fail);
    socket.once("connect", () => {
      const connection = new TcpConnection(socket, new LoopShare());
      socket.off("error", fail);
      done(connection);
    });
    return () => socket.destroy();
  });
}

async function listenTcp(
  text: string,
  onConnection: (connection: TransportConnection) => void,
  options: ListenTransportOptions = {},
  onError?: (error: SttError) => void,
): Promise<TransportListener> {
  const address = tcpAddress(text);
  const { signal } = options;
  signal?.throwIfAborted();
  const maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const share = new LoopShare();
  let connections = 0;
  let closed = false;
  // Nothing is read of those that wait to be let in.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    if (connections >= maxConnections) {
      socket.destroy();
      return;
    }
    connections++;
    socket.once("close", () => connections--);
    const begin = (): void => onConnection(new TcpConnection(socket, share));
    // A crowd that comes at once is let in over several turns of the event loop.
    if (!share.spent) return begin();
    const ignore = (): void => undefined;
    socket.on("error", ignore);
    share.later(() => {
      if (closed) socket.destroy();
      if (socket.destroyed) return;
      begin();
      socket.off("error", ignore);
    });
  });
  const bound = await bind(server, address, onError);
  const close = (): Promise<void> => {
    closed = true;
    signal?.removeEventListener("abort", close);
    return unbind(server);
  };
  signal?.addEventListener("abort", close);
  if (signal?.aborted) {
    await close();
    throw signal.reason;
  }
  return {
    address: formatAddress({ scheme: "tcp", host: bound.address, port: bound.port }),
    close,
  };
}

/** TCP through `node:net`, on every runtime that has it. */
export const tcpTransport: Transport = { schemes: ["tcp"], dial: dialTcp, listen: listenTcp };
