/**
 * Two peers in this process for tests of the file service.
 *
 * @module
 */
import { connect } from "../connect.ts";
import { listen } from "../listener.ts";
import type { Peer } from "../peer.ts";
import { generateSeed } from "../seeds.ts";
import { FILES_APP } from "./wire.ts";

let sessions = 0;

/** Runs `act` with both ends of a session and closes everything afterwards. */
export async function withSession(
  act: (sender: Peer, receiver: Peer) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const address = `mem:files-test-${sessions++}`;
  const listener = await listen(address, { seed, app: FILES_APP, closeFlush: 200 });
  try {
    const sender = await connect(address, { seed, app: FILES_APP, closeFlush: 200 });
    const receiver = await listener.nextPeer();
    if (receiver === null) throw new Error("the listener closed");
    await act(sender, receiver);
    await sender.close();
  } finally {
    await listener.close();
  }
}
