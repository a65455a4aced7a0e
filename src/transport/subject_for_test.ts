import { createHash } from "node:crypto";
import { setImmediate } from "node:timers";
import type {
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
  TransportListener,
} from "./transport.ts";

/** A transport under test. */
export interface Subject {
  readonly name: string;
  readonly transport: Transport;
  readonly address: string;
  readonly framing: "stream" | "message";
  readonly dial?: DialOptions;
  readonly listen?: ListenTransportOptions;
  /** Why none of the tests can run here. */
  readonly skip?: string;
  /** False for a transport that can neither pause nor be cut, and so does not promise it. Default true. */
  readonly controlled?: boolean;
}

/** Both ends of a connection and its listener. */
export interface Joined {
  readonly listener: TransportListener;
  readonly client: TransportConnection;
  readonly server: TransportConnection;
}

/** Listens and dials. */
export async function join(subject: Subject): Promise<Joined> {
  let accept: (connection: TransportConnection) => void = () => {};
  const accepted = new Promise<TransportConnection>((resolve) => {
    accept = resolve;
  });
  const listener = await subject.transport.listen(subject.address, accept, subject.listen ?? {});
  const client = await subject.transport.dial(listener.address, subject.dial ?? {});
  return { listener, client, server: await accepted };
}

/** Closes everything. */
export async function leave({ listener, client, server }: Joined): Promise<void> {
  await Promise.all([client.close(), server.close(), listener.close()]);
}

/** Several turns of the event loop: enough for anything that could wrongly be delivered to be delivered. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Digest of chunks that belong together, as hex. */
export function sha256(...chunks: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
