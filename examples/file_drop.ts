/**
 * A folder that files of many senders appear in, whole or not at all.
 *
 *     file_drop.ts listen ws://127.0.0.1:9000/ inbox
 *     file_drop.ts send ws://127.0.0.1:9000/ report.pdf photos.zip
 */
import { mkdir } from "node:fs/promises";
import {
  connect,
  FILES_APP,
  listen,
  type Peer,
  receiveFiles,
  type ReconnectEvent,
  reconnecting,
  sendFile,
} from "@seigr/stt";
import { run, type Setup } from "./command.ts";

async function take(peer: Peer, directory: string): Promise<void> {
  const from = peer.id.slice(0, 8);
  const options = { directory, maxBytes: 10e9, resume: true };
  for await (const file of receiveFiles(peer, options)) {
    if (file.ok) console.log(`${from}: received ${file.name}, ${file.bytes} bytes`);
    else console.error(`${from}: ${file.error.message}`);
  }
}

async function drop({ seed, address, rest: [directory = "."], signal }: Setup): Promise<void> {
  await mkdir(directory, { recursive: true });
  const listener = await listen(address, { seed, app: FILES_APP, signal });
  console.log(`listening on ${listener.address}`);
  listener.on("peer", (peer) => {
    take(peer, directory).catch((error) => console.error(`${peer.id}: ${error.message}`));
  });
  await listener.closed;
}

async function sendAll({ seed, address, rest: paths, signal }: Setup): Promise<void> {
  const dial = (signal: AbortSignal): Promise<Peer> =>
    connect(address, { seed, app: FILES_APP, signal });
  const left = [...paths];
  // A transfer that breaks off goes on where it stopped, in the next session.
  const onEvent = (event: ReconnectEvent): void => {
    if (event.type === "wait") console.error(`${event.error.message}; dialling again`);
  };
  for await (const peer of reconnecting(dial, { signal, maxAttempts: 5, onEvent })) {
    try {
      for (let path = left[0]; path !== undefined; path = left[0]) {
        const { name, bytes, resumed } = await sendFile(peer, { path, signal });
        console.log(`sent ${name}, ${bytes} bytes${resumed > 0 ? `, ${resumed} had arrived` : ""}`);
        left.shift();
      }
      await peer.close(); // ends the loop as well
    } catch (error) {
      // While the session stands, it is the file that failed, and dialling again would not help.
      if (await Promise.race([peer.closed, undefined]) === undefined) {
        await peer.close();
        throw error;
      }
    }
  }
}

await run("usage: file_drop.ts listen ADDRESS [FOLDER] | file_drop.ts send ADDRESS FILE…", {
  listen: drop,
  send: sendAll,
});
