/**
 * Whoever joined a chat, and what each hears of the others (SPEC 12.8).
 *
 * @module
 */
import type { SttStream } from "../../endpoint/stt_stream.ts";
import { SttError } from "../../errors.ts";
import { printable } from "../text.ts";
import {
  CHAT_MALFORMED,
  type ChatLine,
  decodeJoin,
  decodeSaid,
  encodeLine,
  NAME_MAX_LENGTH,
  piecesOf,
} from "./wire.ts";

/** Digits of a node id that stand for a member without a name. */
const ID_DIGITS = 8;

/** What a room needs of a stream. */
export type MemberStream = Pick<
  SttStream,
  "read" | "tryWrite" | "ready" | "end" | "reset" | "stop"
>;

interface Member {
  readonly name: string;
  readonly stream: MemberStream;
  /** The stream takes more. */
  free: boolean;
  /** Lines that it did not get since. */
  missed: number;
}

/** A room of one listener. Slow members miss lines; nobody waits for them. */
export class ChatRoom {
  readonly #show: (line: ChatLine) => void;
  /** By their names as {@link folded} has them. */
  readonly #members: Map<string, Member> = new Map();
  readonly #host: string | undefined;

  /**
   * @param host The name under which the listener itself speaks; undefined when it does not.
   * @param show Called for every line, for the listener's own screen.
   */
  constructor(host: string | undefined, show: (line: ChatLine) => void) {
    this.#host = host === undefined ? undefined : cleanName(host) || "host";
    this.#show = show;
  }

  /** Names of the members. */
  get names(): readonly string[] {
    return [...this.#members.values()].map(({ name }) => name);
  }

  /** The listener itself says something. */
  say(text: string): void {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    for (const piece of piecesOf(text)) {
      this.#pass({ from: this.#host ?? "", text: decoder.decode(piece) }, undefined);
    }
  }

  /**
   * Serves one member until it leaves or its session ends.
   *
   * @param first The first message of the stream.
   * @param nodeId As hex; gives a name to who wishes for none.
   * @return False when the message begins no chat; the stream is then not touched.
   */
  async serve(
    stream: MemberStream,
    first: Uint8Array,
    nodeId: string,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const options = signal === undefined ? {} : { signal };
    let member: Member | undefined;
    try {
      const wished = decodeJoin(first);
      if (wished === undefined) return false;
      member = this.#add(stream, wished, nodeId);
      for (;;) {
        const message = await stream.read(options);
        if (message === null) break;
        const line = { from: member.name, text: decodeSaid(message) };
        this.#show(line);
        this.#pass(line, member);
      }
    } catch (error) {
      if (error instanceof SttError && error.code === "PROTOCOL") {
        stream.reset(CHAT_MALFORMED);
        stream.stop(CHAT_MALFORMED);
      } else if (!(error instanceof SttError) && signal?.aborted !== true) {
        throw error;
      }
    } finally {
      if (member !== undefined) {
        this.#remove(member);
        // The member learns that the room is done with it; a session that is over needs no farewell.
        stream.end().catch(() => undefined);
      }
    }
    return true;
  }

  #add(stream: MemberStream, wished: string, nodeId: string): Member {
    const name = this.#freeName(cleanName(wished) || nodeId.slice(0, ID_DIGITS), nodeId);
    const member: Member = { name, stream, free: true, missed: 0 };
    const others = [...this.#host === undefined ? [] : [this.#host], ...this.names];
    this.#members.set(folded(name), member);
    const who = others.length === 0 ? "nobody else is here" : `here: ${shortList(others)}`;
    this.#write(member, { from: "", text: `you are ${name}; ${who}` });
    this.#notice(`${name} joined`, member);
    return member;
  }

  #remove(member: Member): void {
    this.#members.delete(folded(member.name));
    this.#notice(`${member.name} left`, member);
  }

  /** One name for one member: whoever says something under it is the one who joined with it. */
  #freeName(wished: string, nodeId: string): string {
    const host = folded(this.#host ?? "");
    const taken = (name: string): boolean => {
      const key = folded(name);
      return key === host || this.#members.has(key);
    };
    if (!taken(wished)) return wished;
    const base = `${wished}-${nodeId.slice(0, 4)}`;
    for (let number = 1;; number++) {
      const name = number === 1 ? base : `${base}-${number}`;
      if (!taken(name)) return name;
    }
  }

  #notice(text: string, except: Member): void {
    const line = { from: "", text };
    this.#show(line);
    this.#pass(line, except);
  }

  #pass(line: ChatLine, except: Member | undefined): void {
    for (const member of this.#members.values()) {
      if (member !== except) this.#write(member, line);
    }
  }

  #write(member: Member, line: ChatLine): void {
    if (!member.free) {
      member.missed++;
      return;
    }
    try {
      member.free = member.stream.tryWrite(encodeLine(line));
      if (!member.free) void this.#whenFree(member);
    } catch (error) {
      // Its own loop removes a member whose stream is over.
      if (!(error instanceof SttError)) throw error;
    }
  }

  async #whenFree(member: Member): Promise<void> {
    try {
      await member.stream.ready();
    } catch {
      return;
    }
    member.free = true;
    const { missed } = member;
    member.missed = 0;
    if (missed > 0) {
      const lines = missed === 1 ? "1 line" : `${missed} lines`;
      this.#write(member, { from: "", text: `you missed ${lines}: your connection is too slow` });
    }
  }
}

/** Names that read as one and the same are equal in this form. */
function folded(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** A name in one word of harmless characters that can be seen, as short as it may be. */
export function cleanName(wished: string): string {
  const seen = wished.replace(/[\p{Default_Ignorable_Code_Point}\u2800]/gu, "");
  const safe = printable(seen.trim().replace(/\s+/g, "_"));
  return [...safe].slice(0, NAME_MAX_LENGTH).join("");
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(", ");
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
