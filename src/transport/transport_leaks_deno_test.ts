// node:test on Deno traces no leaks; Deno.test does, when asked to.
import { certificateForTest } from "./certificate_for_test.ts";
import { CollectingSink, pattern } from "./sink_for_test.ts";
import type {
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
} from "./transport.ts";
import { transportOf } from "./transports.ts";
import { loadWs } from "./ws_module.ts";

const certificate = certificateForTest();
const keyPair = certificate.skip === undefined
  ? { listen: { cert: certificate.cert, key: certificate.key }, dial: { ca: certificate.cert } }
  : {};

interface Case {
  readonly name: string;
  readonly address: string;
  readonly listen?: ListenTransportOptions;
  readonly dial?: DialOptions;
  readonly ignore?: boolean;
}

const cases: Case[] = [
  { name: "mem", address: "mem:leaks" },
  { name: "tcp", address: "tcp://127.0.0.1:0" },
  { name: "ws", address: "ws://127.0.0.1:0/" },
  {
    name: "wss",
    address: "wss://127.0.0.1:0/",
    ignore: certificate.skip !== undefined,
    ...keyPair,
  },
  { name: "native server", address: "ws://127.0.0.1:0/", listen: { native: true } },
  {
    name: "native server and client",
    address: "ws://127.0.0.1:0/",
    listen: { native: true },
    dial: { native: true },
  },
  { name: "native client", address: "ws://127.0.0.1:0/", dial: { native: true } },
];

// A module that is loaded inside of a test would count as its leak.
await loadWs();

for (const subject of cases) {
  const leakFree = (what: string, fn: () => Promise<void>): void =>
    Deno.test({
      name: `${subject.name}: ${what} leaves nothing behind`,
      ignore: subject.ignore ?? false,
      sanitizeOps: true,
      sanitizeResources: true,
      fn,
    });
  // UDP has no connections of its own; the endpoint's leak test covers it.
  const transport = transportOf(subject.address) as Transport;

  const session = async (end: "close" | "abort"): Promise<void> => {
    let accept: (connection: TransportConnection) => void = () => {};
    const accepted = new Promise<TransportConnection>((resolve) => {
      accept = resolve;
    });
    const listener = await transport.listen(subject.address, accept, subject.listen ?? {});
    const client = await transport.dial(listener.address, subject.dial ?? {});
    const server = await accepted;
    const sinks = [new CollectingSink(), new CollectingSink()];
    client.start(sinks[0]!);
    server.start(sinks[1]!);
    client.send(pattern(300_000, 1));
    server.send(pattern(300_000, 2));
    await Promise.all(sinks.map((sink) => sink.received(300_000)));
    if (end === "abort") client.abort();
    await Promise.all([client.close(), server.close()]);
    await Promise.all(sinks.map((sink) => sink.ended));
    await listener.close();
  };

  leakFree("listen and close", async () => {
    const listener = await transport.listen(subject.address, () => {}, subject.listen ?? {});
    await listener.close();
  });
  leakFree("connect, exchange and close", () => session("close"));
  if (!subject.dial?.native && !subject.listen?.native) {
    leakFree("connect, exchange and abort", () => session("abort"));
  }
  leakFree("a refused dial", async () => {
    const listener = await transport.listen(subject.address, () => {}, subject.listen ?? {});
    await listener.close();
    await transport.dial(listener.address, subject.dial ?? {}).then(
      () => {
        throw new Error("nobody listens, yet the dial succeeded");
      },
      () => undefined,
    );
  });
  leakFree("an aborted dial", async () => {
    const listener = await transport.listen(subject.address, () => {}, subject.listen ?? {});
    const controller = new AbortController();
    const dial = transport.dial(listener.address, { ...subject.dial, signal: controller.signal });
    controller.abort();
    await dial.then(() => undefined, () => undefined);
    await listener.close();
  });
}
