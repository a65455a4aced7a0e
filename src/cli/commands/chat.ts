/**
 * `stt chat`.
 *
 * @module
 */
import type { Peer } from "../../endpoint/peer.ts";
import type { Listener } from "../../endpoint/listener.ts";
import { SttError } from "../../errors.ts";
import type { Arguments } from "../args.ts";
import { ChatRoom } from "../chat/room.ts";
import { type ChatScreen, openScreen } from "../chat/screen.ts";
import { isSessionEnd, OUTBOX_LINES, UnsentLines, visitRoom } from "../chat/visit.ts";
import { CHAT_APP, type ChatLine, MESSAGE_MAX_BYTES, NAME_MAX_LENGTH } from "../chat/wire.ts";
import type { Command, CommandContext } from "../command.ts";
import { within } from "../deadline.ts";
import { Dialler } from "../dial.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { openListener } from "../listening.ts";
import { EITHER_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { Report } from "../report.ts";
import { RETRY_OPTION, runIdentity, sessions } from "../retrying.ts";

/** Lines are short; a member that does not read them misses some beyond this (SPEC 12.8). */
const LIMITS = { maxMessageSize: MESSAGE_MAX_BYTES, sendBuffer: 65_536 };

export const chat: Command = {
  name: "chat",
  usage: "chat [--listen] ADDR [--name NAME]",
  summary: "type lines to everybody who is connected to the same listener",
  details: [
    "One side listens (--listen) and passes lines on between all who dial.",
    "Ctrl-D or the end of the input leaves; a listener whose input is no terminal",
    "goes on without it. A dialler that lost its session dials again.",
  ],
  positionals: ["address"],
  examples: [
    {
      line: "chat --listen udp://0.0.0.0:9000 --seed-file net.seed --name alice",
      what: "pass lines on between all who dial",
    },
    {
      line: "chat udp://192.0.2.1:9000 --seed-file net.seed --name bob",
      what: "join them",
    },
  ],
  options: [
    { name: "listen", help: "listen at ADDR instead of dialling it" },
    { name: "name", value: "NAME", help: "how the others see you (default: of your node id)" },
    RETRY_OPTION,
    ...SESSION_OPTIONS,
    ...EITHER_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const [address, ...others] = args.positionals;
    if (address === undefined || others.length > 0) {
      throw new UsageError("chat needs one address", "chat");
    }
    const name = args.text("name");
    if (name !== undefined && (name.trim() === "" || [...name].length > NAME_MAX_LENGTH)) {
      throw new UsageError(`--name takes 1 to ${NAME_MAX_LENGTH} characters`, "chat");
    }
    if (args.flag("listen")) args.refuse(["retry", "ca"], "is for who dials", "chat");
    else args.refuse(["cert", "key"], "is for --listen", "chat");
    return args.flag("listen")
      ? await host(address, name, args, context)
      : await visit(address, name ?? "", args, context);
  },
};

/** The context with a screen in it, once secrets have been asked for: then the terminal belongs to the chat. */
function onScreen(args: Arguments, context: CommandContext): {
  readonly screen: ChatScreen;
  readonly inside: CommandContext;
  readonly show: (line: ChatLine) => void;
} {
  const json = args.flag("json");
  const screen = openScreen(context.io, json);
  const report = new Report(screen.io, { json, quiet: args.flag("quiet") });
  const show = (line: ChatLine): void => {
    if (!json) return screen.show(line);
    if (line.from === "") report.result("notice", { text: line.text }, "");
    else report.result("message", { from: line.from, text: line.text }, "");
  };
  return { screen, inside: { ...context, io: screen.io, report }, show };
}

async function host(
  address: string,
  name: string | undefined,
  args: Arguments,
  context: CommandContext,
): Promise<number> {
  const stdinTaken = !context.io.stdin.isTty;
  const { listener, close } = await openListener(address, args, context, {
    app: CHAT_APP,
    limits: LIMITS,
    stdinTaken,
  });
  const { screen, inside, show } = onScreen(args, context);
  // A listener that nobody types at has no voice, and needs no name.
  const room = new ChatRoom(name ?? (screen.interactive ? "host" : undefined), show);
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  try {
    const typing = (async () => {
      for await (const line of screen.lines()) room.say(line);
      if (screen.interactive) over.abort();
    })();
    typing.catch((error: unknown) => over.abort(error));
    await serveAll(listener, room, inside, signal);
    context.signal.throwIfAborted();
    if (over.signal.aborted) await typing;
    return EXIT_OK;
  } finally {
    screen.close();
    await close();
  }
}

async function serveAll(
  listener: Listener,
  room: ChatRoom,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const serving = new Set<Promise<void>>();
  try {
    for (;;) {
      const peer = await listener.nextPeer({ signal });
      if (peer === null) break;
      const session = serveOne(peer, room, context, signal);
      serving.add(session);
      void session.then(() => serving.delete(session));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await Promise.all(serving);
}

/** Milliseconds from the session to the label. */
const JOIN_TIMEOUT_MS = 10_000;

async function serveOne(
  peer: Peer,
  room: ChatRoom,
  { report }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { id, remoteAddress } = peer.info;
  report.event(
    "peer",
    { nodeId: id, address: remoteAddress },
    `peer ${id.slice(0, 16)} from ${remoteAddress}`,
  );
  try {
    // A label that never comes, or that was lost with a line too long behind it, keeps no session.
    const first = await within(
      JOIN_TIMEOUT_MS,
      signal,
      () => new SttError("IDLE_TIMEOUT", "no label of a chat came"),
      (signal) => peer.nextMessage({ signal }),
    );
    const stream = first === null ? undefined : peer.stream(first.streamId);
    if (first !== null && stream !== undefined) {
      await room.serve(stream, first.data, id, signal);
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof SttError)) report.warnOf(error);
  }
  await peer.close();
}

async function visit(
  address: string,
  name: string,
  args: Arguments,
  context: CommandContext,
): Promise<number> {
  const retries = args.integer("retry", 0, 1_000_000) ?? Infinity;
  const stdinTaken = !context.io.stdin.isTty;
  const dialler = await Dialler.prepare(address, args, context, CHAT_APP, stdinTaken, {
    ...LIMITS,
    ...runIdentity(args),
  });
  const { screen, inside, show } = onScreen(args, context);
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  const visitor = new Visitor(screen, show, over, signal);
  dialler.context = { ...inside, signal };
  try {
    for await (const peer of sessions(dialler, retries, { ...inside, signal })) {
      await visitor.visit(peer, name);
      if (!visitor.done) continue;
      await peer.close();
      break;
    }
    return EXIT_OK;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!over.signal.aborted) throw error;
    await visitor.typing;
    return EXIT_OK;
  } finally {
    screen.close();
    dialler.close();
  }
}

/** Who dials: lines that are typed go to whatever session there is. */
class Visitor {
  /** Rejects when the input fails, or with `Interrupted`. */
  readonly typing: Promise<void>;
  readonly #outbox: UnsentLines = new UnsentLines();
  readonly #screen: ChatScreen;
  readonly #show: (line: ChatLine) => void;
  readonly #signal: AbortSignal;
  #sessions = 0;
  #inside = false;

  constructor(
    screen: ChatScreen,
    show: (line: ChatLine) => void,
    over: AbortController,
    signal: AbortSignal,
  ) {
    this.#screen = screen;
    this.#show = show;
    this.#signal = signal;
    this.typing = this.#type(over);
    this.typing.catch((error: unknown) => over.abort(error));
  }

  /** The input has ended and every line is sent. */
  get done(): boolean {
    return this.#outbox.ended && this.#outbox.waiting === 0;
  }

  /** Stays until this side leaves, or the session is over. */
  async visit(peer: Peer, name: string): Promise<void> {
    this.#sessions++;
    this.#inside = true;
    try {
      await visitRoom(peer, name, this.#outbox, this.#show, this.#signal);
    } catch (error) {
      if (isSessionEnd(error, peer)) return;
      await peer.close();
      throw error;
    } finally {
      this.#inside = false;
    }
  }

  async #type(over: AbortController): Promise<void> {
    for await (const line of this.#screen.lines()) {
      // A program can wait until its lines are sent; somebody who types is told.
      if (!this.#screen.interactive) await this.#outbox.room(this.#signal);
      if (this.#outbox.add(line)) continue;
      this.#show({ from: "", text: `not sent: ${OUTBOX_LINES} lines wait for a session already` });
    }
    this.#outbox.end();
    if (this.#inside) return;
    // Between two sessions nobody waits for the next one just to leave it; lines of a program are worth it.
    const leave = this.#screen.interactive || this.#sessions > 0 && this.#outbox.waiting === 0;
    if (leave) over.abort();
  }
}
