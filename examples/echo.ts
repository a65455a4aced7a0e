/**
 * A listener that returns every byte stream, and a dialler that sends it words.
 *
 *     echo.ts listen ws://127.0.0.1:9000/
 *     echo.ts connect ws://127.0.0.1:9000/ hello there
 */
import { connect, listen, type Peer } from "@seigr/stt";
import { run, type Setup } from "./command.ts";

async function returnAll(peer: Peer): Promise<void> {
  for await (const stream of peer.streams()) {
    // Not awaited: streams of a peer do not wait for each other. What breaks one of them ends that one alone.
    stream.readable.pipeTo(stream.writable).catch((error) => console.error(error.message));
  }
}

async function serve({ seed, address, signal }: Setup): Promise<void> {
  const listener = await listen(address, { seed, signal });
  console.log(`listening on ${listener.address}`);
  listener.on("rejected", ({ remoteAddress, error }) => {
    console.error(`${remoteAddress} was rejected: ${error.message}`);
  });
  listener.on("peer", (peer) => {
    returnAll(peer).catch((error) => console.error(`${peer.id}: ${error.message}`));
  });
  await listener.closed;
}

async function talk({ seed, address, rest, signal }: Setup): Promise<void> {
  const peer = await connect(address, { seed, signal });
  const stream = await peer.openStream();
  await stream.write(new TextEncoder().encode(rest.join(" ")));
  await stream.end();
  console.log(await new Response(stream.readable).text());
  await peer.close();
}

await run("usage: echo.ts listen ADDRESS | echo.ts connect ADDRESS WORD…", {
  listen: serve,
  connect: talk,
});
