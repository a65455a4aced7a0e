/**
 * A transport of its own: a session through the standard input and output of a command, such as `ssh` or `docker exec`.
 *
 *     over_a_command.ts connect 'command:ssh other over_a_command.ts serve command:'
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { connect, listen, SttError, type Transport, type TransportConnection } from "@seigr/stt";
import { run, type Setup } from "./command.ts";

const QUEUE_BYTES = 131_072;

/** Two pipes as a connection of the session. */
function overPipes(input: Readable, output: Writable, address: string, child?: ChildProcess) {
  let end: (error?: SttError) => void = () => undefined;
  const closed = new Promise<void>((resolve) => input.once("close", resolve).once("end", resolve));
  output.on("error", (cause) => end(new SttError("TRANSPORT", `pipe of ${address}`, { cause })));
  const connection: TransportConnection = {
    scheme: "command",
    framing: "stream",
    remoteAddress: address,
    remoteHost: "command",
    localAddress: address,
    get queuedBytes() {
      return output.writableLength;
    },
    start(sink) {
      let ended = false;
      end = (error) => {
        if (!ended) sink.end(error);
        ended = true;
      };
      input.on("data", (bytes: Uint8Array) => sink.data(bytes));
      output.on("drain", () => sink.drain());
      void closed.then(() => end());
    },
    send: (bytes) => output.write(bytes) && output.writableLength < QUEUE_BYTES,
    pause: () => input.pause() === input,
    resume: () => void input.resume(),
    close: () =>
      new Promise((resolve) => {
        output.end(() => {
          input.destroy();
          resolve();
        });
      }),
    abort: () => {
      child?.kill();
      input.destroy();
    },
  };
  return connection;
}

const command: Transport = {
  schemes: ["command"],
  dial: async (address) => {
    const [program = "", ...args] = address.slice("command:".length).split(" ");
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => {
        reject(new SttError("TRANSPORT", `cannot run ${program}`, { cause }));
      });
    });
    return overPipes(child.stdout, child.stdin, address, child);
  },
  // One connection: the pipes that this program was started with.
  listen: (address, onConnection) => {
    onConnection(overPipes(process.stdin, process.stdout, address));
    return Promise.resolve({ address, close: () => Promise.resolve() });
  },
};
const transports = [command];

async function serve({ seed, address, signal }: Setup): Promise<void> {
  const listener = await listen(address, { seed, transports, signal });
  const peer = await listener.nextPeer();
  for await (const { data } of peer?.messages() ?? []) await peer?.send(data);
  await listener.close();
}

async function dial({ seed, address, signal }: Setup): Promise<void> {
  const peer = await connect(address, { seed, transports, signal });
  await peer.send(new TextEncoder().encode("through a pipe"));
  console.log(new TextDecoder().decode((await peer.nextMessage())?.data));
  await peer.close();
}

await run("usage: over_a_command.ts connect 'command:PROGRAM ARGUMENTS' | … serve command:", {
  connect: dial,
  serve,
});
