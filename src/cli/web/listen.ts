/**
 * `stt listen --web`: the page, files and a chat room on one port.
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import { FILES_APP } from "../../endpoint/files/mod.ts";
import { parseAddress } from "../../transport/address.ts";
import type { Arguments, OptionSpec } from "../args.ts";
import { ChatRoom } from "../chat/room.ts";
import { type ChatScreen, lineText, openScreen } from "../chat/screen.ts";
import { type ChatLine, MESSAGE_MAX_BYTES } from "../chat/wire.ts";
import type { CommandContext } from "../command.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { openListener } from "../listening.ts";
import { toStdout } from "../receiving.ts";
import { Report } from "../report.ts";
import { sendingOf } from "../sending.ts";
import { receivingService } from "../services.ts";
import { SessionHost } from "../session_host.ts";
import { styleOf } from "../style.ts";
import { pageFor } from "./page.ts";
import { WebService } from "./service.ts";

export const WEB_OPTIONS: readonly OptionSpec[] = [
  { name: "web", help: "serve a page for browsers on the same port: chat, files both ways" },
  { name: "chat", help: "with --web: lines of standard input go to every page" },
];

function checkOptions(address: string, args: Arguments): void {
  if (!/^wss?:/i.test(address)) {
    throw new UsageError("--web needs an address with ws: or wss:", "listen");
  }
  if (args.flag("echo")) throw new UsageError("--web and --echo exclude each other", "listen");
  if (toStdout(args)) {
    throw new UsageError("--web writes lines of the chat where --out - writes files", "listen");
  }
}

/** What pages announce: a listener with another name would refuse them (SPEC 6.2.11). */
function checkApp(args: Arguments): void {
  if ((args.text("app") ?? FILES_APP) === FILES_APP) return;
  throw new UsageError(`--app shuts out pages, which announce ${FILES_APP}`, "listen");
}

/** The end of the input of somebody who typed on a terminal. */
const LEFT = new Error("left");

/** Serves pages, and everybody else who dials, until a signal comes. */
export async function listenForPages(
  address: string,
  args: Arguments,
  context: CommandContext,
): Promise<number> {
  checkOptions(address, args);
  checkApp(args);
  const typed = args.flag("chat");
  // What is wrong with --out or --exclude is said before anybody can dial.
  await receivingService(args, context);
  const how = sendingOf(args);
  const webFiles = await pageFor(parseAddress(address).path);
  let host: SessionHost | undefined;
  const { listener, close } = await openListener(address, args, context, {
    app: FILES_APP,
    accept: () => host?.open ?? true,
    limits: { maxMessageSize: MESSAGE_MAX_BYTES },
    stdinTaken: typed && !context.io.stdin.isTty,
    webFiles,
  });
  const over = new AbortController();
  // Once the seed has been asked for, the terminal belongs to the chat.
  const screen = typed ? openScreen(context.io, args.flag("json")) : undefined;
  const inside = { ...onScreen(screen, args, context), signal: eitherOf(context, over) };
  try {
    // Browsers do not send what stands behind #: it pins the listener's identity in the page.
    const page = listener.address.replace(/^ws/, "http");
    const nodeId = toHex(listener.nodeId);
    inside.report.event("web", { page }, `page at ${page}#expect=${nodeId}`);
    const room = new ChatRoom(typed ? "host" : undefined, (line) => show(line, inside));
    const files = await receivingService(args, inside);
    host = new SessionHost(
      new WebService(files, args.texts("offer"), how, room, inside),
      args.flag("once"),
      inside,
    );
    if (screen !== undefined) void typeLines(screen, room, over);
    return await host.serve(listener);
  } catch (error) {
    context.signal.throwIfAborted();
    if (over.signal.aborted && over.signal.reason === LEFT) return EXIT_OK;
    throw error;
  } finally {
    screen?.close();
    await close();
  }
}

function eitherOf({ signal }: CommandContext, over: AbortController): AbortSignal {
  return AbortSignal.any([signal, over.signal]);
}

/** The same context, whose output leaves the prompt of the screen whole. */
function onScreen(
  screen: ChatScreen | undefined,
  args: Arguments,
  context: CommandContext,
): CommandContext {
  if (screen === undefined) return context;
  const report = new Report(screen.io, { json: args.flag("json"), quiet: args.flag("quiet") });
  return { ...context, io: screen.io, report };
}

function show(line: ChatLine, { report, io }: CommandContext): void {
  const text = lineText(line, styleOf(io.stdout, io));
  if (line.from === "") report.event("notice", { text: line.text }, text);
  else report.result("message", { ...line }, text);
}

/** The end of a pipe ends the typing alone; that of a terminal, or Ctrl-C, ends the listener. */
async function typeLines(
  screen: ChatScreen,
  room: ChatRoom,
  over: AbortController,
): Promise<void> {
  try {
    for await (const line of screen.lines()) if (line.trim() !== "") room.say(line);
    if (screen.interactive) over.abort(LEFT);
  } catch (error) {
    over.abort(error);
  }
}
