// node:test on Deno traces no leaks; Deno.test does, when asked to.
import { fileURLToPath } from "node:url";
import { RecordingSink } from "./datagram_sink_for_test.ts";
import { exchange } from "./exchange_for_test.ts";
import { availableSockets, openDatagramSocket } from "./open_datagram_socket.ts";

const options = { host: "127.0.0.1", port: 0 };

for (const kind of new Set([availableSockets(), "deno node:dgram"] as const)) {
  const leakFree = (what: string, fn: () => Promise<void>): void =>
    Deno.test({
      name: `${kind}: ${what} leaves nothing behind`,
      sanitizeOps: true,
      sanitizeResources: true,
      fn,
    });

  leakFree("open and close", async () => {
    await (await openDatagramSocket(options, kind)).close();
  });
  leakFree("start and close", async () => {
    const socket = await openDatagramSocket(options, kind);
    socket.start(new RecordingSink());
    await socket.close();
  });
  leakFree("an exchange", async () => {
    const a = await openDatagramSocket(options, kind), b = await openDatagramSocket(options, kind);
    await exchange(a, b, 2_000, 600);
    await Promise.all([a.close(), b.close()]);
  });
  leakFree("closing a full socket", async () => {
    const a = await openDatagramSocket(options, kind), b = await openDatagramSocket(options, kind);
    a.start(new RecordingSink());
    while (a.send(new Uint8Array(1200), b.localHost, b.localPort));
    await Promise.all([a.close(), b.close()]);
  });
  leakFree("a refused bind", async () => {
    const taken = await openDatagramSocket(options, kind);
    await openDatagramSocket({ host: "127.0.0.1", port: taken.localPort }, kind).then(
      () => {
        throw new Error("two sockets have one port");
      },
      () => undefined,
    );
    await taken.close();
  });
}

// The suite runs without --unstable-net, as most programs do: this runs the same tests with it.
Deno.test({
  name: "the tests of this folder pass with Deno.listenDatagram",
  ignore: availableSockets() === "Deno.listenDatagram",
  async fn() {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "-A",
        "--no-check",
        "--unstable-net",
        fileURLToPath(new URL(".", import.meta.url)),
      ],
      stdout: "piped",
      stderr: "inherit",
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stdout));
  },
});
