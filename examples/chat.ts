/**
 * A room: the listener passes on what one says to all others, and has a terminal of its own.
 *
 *     chat.ts listen ws://127.0.0.1:9000/ ann
 *     chat.ts connect ws://127.0.0.1:9000/ bob
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { connect, Group, listen, type Peer } from "@seigr/stt";
import { run, type Setup } from "./command.ts";

const APP = "example-chat/1";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text of others, on one line and without what moves the cursor. */
function show(text: string): void {
  console.log(text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "·").slice(0, 1000));
}

async function eachLine(say: (line: string) => unknown, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  signal.addEventListener("abort", () => lines.close());
  for await (const line of lines) await say(line);
}

async function host({ seed, address, rest: [name = "host"], signal }: Setup): Promise<void> {
  const listener = await listen(address, { seed, app: APP, maxMessageSize: 4096, signal });
  console.log(`listening on ${listener.address}`);
  // A queue for each: who takes nothing until a hundred lines wait leaves the room, and nobody else waits.
  const room = new Group({ policy: "disconnect", maxQueued: 100 });
  room.follow(listener);
  const serve = async (peer: Peer): Promise<void> => {
    for await (const { data } of peer.messages()) {
      show(decoder.decode(data));
      await room.sendToAll(data, { except: [peer.id] });
    }
  };
  listener.on("peer", (peer) => {
    const name = peer.id.slice(0, 8);
    serve(peer).catch((error) => console.error(`${name}: ${error.message}`))
      .finally(() => show(`${name} left`));
  });
  await eachLine((line) => room.sendToAll(encoder.encode(`${name}: ${line}`)), signal);
  await listener.closed; // the room stays when its own terminal has no more to say
}

async function join({ seed, address, rest: [name = "guest"], signal }: Setup): Promise<void> {
  const peer = await connect(address, { seed, app: APP, keepAlive: 20_000, signal });
  console.log(`connected to ${address}`);
  const gone = new AbortController();
  const hearing = (async () => {
    for await (const { data } of peer.messages()) show(decoder.decode(data));
  })().finally(() => gone.abort());
  await eachLine(
    (line) => peer.send(encoder.encode(`${name}: ${line}`)),
    AbortSignal.any([signal, gone.signal]),
  );
  await peer.close();
  await hearing;
}

await run("usage: chat.ts listen ADDRESS [NAME] | chat.ts connect ADDRESS [NAME]", {
  listen: host,
  connect: join,
});
