/**
 * What a listener does for its peers: receive files, offer files, or return what comes.
 *
 * @module
 */
import { declineFile, FILES_APP } from "../endpoint/files/mod.ts";
import type { Peer } from "../endpoint/peer.ts";
import type { SttStream } from "../endpoint/stt_stream.ts";
import { SttError } from "../errors.ts";
import type { Arguments } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { EXIT_OK, exitCodeOf } from "./exit_codes.ts";
import { receiveAll, receiveOptions } from "./receiving.ts";
import { sendingOf, type SendingOptions, sendOne, unreadable } from "./sending.ts";

/** Serves one session until it ends. Returns the exit code; rejects with what ended the session. */
export interface Service {
  /** @param onWork Called as soon as the session is more than a visit. */
  serve(peer: Peer, onWork: () => void): Promise<number>;
  /** Called when the last session has ended. */
  close?(): void;
}

/** The service that the options ask for. */
export async function serviceOf(args: Arguments, context: CommandContext): Promise<Service> {
  if (args.flag("echo")) return { serve: (peer, onWork) => echo(peer, onWork, context) };
  const app = args.text("app") ?? FILES_APP;
  // SPEC 12: services of the toolkit only towards peers that were opened for them; others may still ping.
  const forFiles = (peer: Peer): boolean => peer.info.app === app;
  const offered = args.texts("offer");
  if (offered.length > 0) {
    const how = sendingOf(args);
    for (const path of offered) {
      // It may come into being until somebody asks for it.
      const error = await unreadable(path);
      if (error !== undefined) context.report.warnOf(error);
    }
    return {
      serve: (peer, onWork) =>
        forFiles(peer) ? offer(peer, offered, how, onWork, context) : visit(peer, context),
    };
  }
  return await receivingService(args, context);
}

/** Takes files from peers that were opened for them. */
export async function receivingService(
  args: Arguments,
  context: CommandContext,
): Promise<Service> {
  const app = args.text("app") ?? FILES_APP;
  const options = await receiveOptions(args, context);
  return {
    serve: (peer, onWork) =>
      peer.info.app === app ? receiveAll(peer, options, context, onWork) : visit(peer, context),
  };
}

async function visit(peer: Peer, { signal }: CommandContext): Promise<number> {
  for await (const stream of peer.streams({ signal })) declineFile(stream);
  return EXIT_OK;
}

async function offer(
  peer: Peer,
  paths: readonly string[],
  how: SendingOptions,
  onWork: () => void,
  context: CommandContext,
): Promise<number> {
  onWork();
  const visitor = visit(peer, context);
  visitor.catch(() => undefined);
  let exit = EXIT_OK;
  for (const path of paths) {
    try {
      exit = await sendOne(peer, path, how, context) || exit;
    } catch (error) {
      if (!(error instanceof SttError) || peer.stats().state !== "established") throw error;
      exit = exitCodeOf(error);
      context.report.warning(
        "not-sent",
        { path, nodeId: peer.id, code: error.code, message: error.message },
        `did not send to ${peer.info.remoteAddress}: ${error.message}`,
      );
    }
  }
  await peer.close();
  return exit;
}

async function echo(
  peer: Peer,
  onWork: () => void,
  { signal }: CommandContext,
): Promise<number> {
  const datagrams = echoDatagrams(peer, signal);
  datagrams.catch(() => undefined);
  for await (const stream of peer.streams({ signal })) {
    onWork();
    void echoStream(stream, signal);
  }
  await datagrams;
  return EXIT_OK;
}

async function echoStream(stream: SttStream, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const chunk = await stream.read({ signal });
      if (chunk === null) break;
      await stream.write(chunk, { signal, own: true });
    }
    await stream.end({ signal });
  } catch {
    // Reset, stopped, or over with its session: the session's own end says so.
    stream.reset();
    stream.stop();
  }
}

async function echoDatagrams(peer: Peer, signal: AbortSignal): Promise<void> {
  for await (const { channel, data } of peer.datagrams({ signal })) {
    // A peer may send larger datagrams than it takes.
    if (data.length <= peer.maxDatagramSize) peer.sendDatagram(data, { channel });
  }
}
