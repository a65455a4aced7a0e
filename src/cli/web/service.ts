/**
 * What `stt listen --web` does for a page, or any other peer: files both ways and a chat room (SPEC 12.8), in one session.
 *
 * @module
 */
import type { Peer } from "../../endpoint/peer.ts";
import { SttError } from "../../errors.ts";
import type { ChatRoom } from "../chat/room.ts";
import type { CommandContext } from "../command.ts";
import { type SendingOptions, sendOne } from "../sending.ts";
import type { Service } from "../services.ts";

/** Serves files as `files` does, offers some, and takes whoever opens a chat into the room. */
export class WebService implements Service {
  readonly #files: Service;
  readonly #offered: readonly string[];
  readonly #how: SendingOptions;
  readonly #room: ChatRoom;
  readonly #context: CommandContext;

  constructor(
    files: Service,
    offered: readonly string[],
    how: SendingOptions,
    room: ChatRoom,
    context: CommandContext,
  ) {
    this.#files = files;
    this.#offered = offered;
    this.#how = how;
    this.#room = room;
    this.#context = context;
  }

  async serve(peer: Peer, onWork: () => void): Promise<number> {
    // What ends the session is told by the files; here it only ends the others.
    const beside = [this.#offer(peer), this.#chat(peer, onWork)];
    for (const task of beside) task.catch(() => undefined);
    return await this.#files.serve(peer, onWork);
  }

  async #offer(peer: Peer): Promise<void> {
    const { report } = this.#context;
    for (const path of this.#offered) {
      try {
        await sendOne(peer, path, this.#how, this.#context);
      } catch (error) {
        if (!(error instanceof SttError)) throw error;
        report.warning(
          "not-sent",
          { path, nodeId: peer.id, code: error.code, message: error.message },
          `did not send to ${peer.info.remoteAddress}: ${error.message}`,
        );
      }
    }
  }

  async #chat(peer: Peer, onWork: () => void): Promise<void> {
    const { signal } = this.#context;
    const first = await peer.nextMessage({ signal });
    const stream = first === null ? undefined : peer.stream(first.streamId);
    if (first === null || stream === undefined) return;
    onWork();
    await this.#room.serve(stream, first.data, peer.id, signal);
  }
}
