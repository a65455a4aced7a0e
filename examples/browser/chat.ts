/// <reference lib="dom" />
/**
 * A member of the listener's chat room: one message stream, UTF-8 (SPEC 12.8).
 */
import type { Peer, SttStream } from "@seigr/stt/browser";

const LABEL = "stt-chat/1";
const LINE_MAX_BYTES = 4096;

/** A line of the room; an empty name is that of the room itself. */
export interface ChatLine {
  readonly from: string;
  readonly text: string;
}

/** The place of this page in a room. */
export class Chat {
  readonly #stream: SttStream;

  private constructor(stream: SttStream) {
    this.#stream = stream;
  }

  /** Joins under a name that the room may change. */
  static async join(
    peer: Peer,
    name: string,
    onLine: (line: ChatLine) => void,
  ): Promise<Chat> {
    const stream = await peer.openStream({ mode: "messages" });
    await stream.write(new TextEncoder().encode(`${LABEL}\n${name}`));
    const chat = new Chat(stream);
    // The end of the session is told where the session is.
    chat.#read(onLine).catch(() => undefined);
    return chat;
  }

  /** Says a line; false when it is too long. */
  async say(text: string): Promise<boolean> {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > LINE_MAX_BYTES) return false;
    await this.#stream.write(bytes);
    return true;
  }

  async #read(onLine: (line: ChatLine) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const message of this.#stream) {
      const text = decoder.decode(message);
      const end = text.indexOf("\n");
      onLine({ from: text.slice(0, Math.max(0, end)), text: text.slice(end + 1) });
    }
  }
}
