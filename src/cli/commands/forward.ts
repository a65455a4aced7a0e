/**
 * `stt forward`.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Peer } from "../../endpoint/peer.ts";
import { SttError } from "../../errors.ts";
import type { Arguments } from "../args.ts";
import type { Command, CommandContext } from "../command.ts";
import { Dialler } from "../dial.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { resetSocket } from "../forwarding/carrier.ts";
import { askingOnly, type ForwardPolicy, ForwardSession } from "../forwarding/forward_session.ts";
import {
  ALLOW_BIND_OPTION,
  CONNECTIONS_OPTION,
  connectionsOf,
  failureLog,
  forwardLimits,
  policyOf,
} from "../forwarding/options.ts";
import { type Forward, parseForward, placeText } from "../forwarding/rules.ts";
import { forwardService } from "../forwarding/service.ts";
import { openPort, type TcpPort } from "../forwarding/tcp_port.ts";
import { FORWARD_APP } from "../forwarding/wire.ts";
import { openListener } from "../listening.ts";
import { EITHER_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import type { RejectLog } from "../reject_log.ts";
import { RETRY_OPTION, runIdentity, sessions } from "../retrying.ts";
import { SessionHost } from "../session_host.ts";

const DIALLER_ONLY: readonly string[] = ["local", "remote", "retry", "ca"];
/** Between requests for a port that the peer does not give back. */
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
const LISTENER_ONLY: readonly string[] = ["allow", "allow-bind", "cert", "key"];

export const forward: Command = {
  name: "forward",
  usage: "forward [--listen] ADDR [-L SPEC] [-R SPEC] [--allow HOST:PORT]",
  summary: "carry TCP ports through a session, as `ssh -L` and `-R` do",
  details: [
    "SPEC is [BIND:]PORT:HOST:PORT. BIND is 127.0.0.1 unless given, `*` everywhere.",
    "The listener allows nothing that --allow and --allow-bind do not name. HOST is a",
    "name or address as -L spells it, *.domain, or *; PORT a number, FROM-TO, or *.",
    "A dialler that lost its session dials again; its connections are reset.",
  ],
  positionals: ["address"],
  examples: [
    {
      line: "forward --listen udp://0.0.0.0:9000 --seed-file net.seed --allow localhost:5432",
      what: "let peers reach a database on this machine",
    },
    {
      line: "forward udp://192.0.2.1:9000 --seed-file net.seed -L 5432:localhost:5432",
      what: "reach it at port 5432 of this one",
    },
  ],
  options: [
    { name: "listen", help: "listen at ADDR for peers, and serve what is allowed" },
    {
      name: "local",
      short: "L",
      value: "SPEC",
      multiple: true,
      help: "listen here; the peer connects to HOST:PORT",
    },
    {
      name: "remote",
      short: "R",
      value: "SPEC",
      multiple: true,
      help: "the peer listens; connections go to HOST:PORT from here",
    },
    {
      name: "allow",
      value: "HOST:PORT",
      multiple: true,
      help: "targets of a peer's -L, several with commas (with --listen)",
    },
    ALLOW_BIND_OPTION,
    CONNECTIONS_OPTION,
    RETRY_OPTION,
    ...SESSION_OPTIONS,
    ...EITHER_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const [address, ...others] = args.positionals;
    if (address === undefined || others.length > 0) {
      throw new UsageError("forward needs one address", "forward");
    }
    const listening = args.flag("listen");
    if (listening) args.refuse(DIALLER_ONLY, "is for who dials", "forward");
    else args.refuse(LISTENER_ONLY, "is for --listen", "forward");
    return listening ? await serve(address, args, context) : await dial(address, args, context);
  },
};

async function serve(address: string, args: Arguments, context: CommandContext): Promise<number> {
  const connections = connectionsOf(args);
  const policy = policyOf(args, "allow", connections);
  if (policy.connect.isEmpty && policy.bind.isEmpty) {
    throw new UsageError("--listen allows nothing without --allow or --allow-bind", "forward");
  }
  const host = new SessionHost(forwardService(policy, context), false, context);
  const { listener, close } = await openListener(address, args, context, {
    app: FORWARD_APP,
    limits: forwardLimits(connections),
  });
  try {
    return await host.serve(listener);
  } finally {
    await close();
  }
}

async function dial(address: string, args: Arguments, context: CommandContext): Promise<number> {
  const local = args.texts("local").map(parseForward);
  const remote = args.texts("remote").map(parseForward);
  if (local.length + remote.length === 0) {
    throw new UsageError("forward needs -L or -R", "forward");
  }
  const retries = args.integer("retry", 0, 1_000_000) ?? Infinity;
  const connections = connectionsOf(args);
  const dialler = await Dialler.prepare(address, args, context, FORWARD_APP, false, {
    ...forwardLimits(connections),
    ...runIdentity(args),
  });
  const run = new ForwardRun(askingOnly(connections), context);
  try {
    for await (const peer of sessions(dialler, retries, context)) {
      await run.session(peer, local, remote);
    }
    return EXIT_OK;
  } finally {
    await run.close();
    dialler.close();
  }
}

/** The ports of one run, and the session that carries them now. */
class ForwardRun {
  readonly #policy: ForwardPolicy;
  readonly #context: CommandContext;
  readonly #log: RejectLog;
  readonly #ports: TcpPort[] = [];
  #session: ForwardSession | undefined;
  #opened = false;

  constructor(policy: ForwardPolicy, context: CommandContext) {
    this.#policy = policy;
    this.#context = context;
    this.#log = failureLog(context);
  }

  /** Carries until the session is over; the loop around it tells why. */
  async session(
    peer: Peer,
    local: readonly Forward[],
    remote: readonly Forward[],
  ): Promise<void> {
    const { signal } = this.#context;
    const session = new ForwardSession(
      peer,
      this.#policy,
      ({ place, error }) => this.#log.record(place, error),
    );
    const served = session.serve(signal);
    served.catch(() => undefined);
    const over = new AbortController();
    try {
      // Ports of this side stay open between sessions, and are opened once there is somewhere to carry them to.
      const first = !this.#opened;
      if (first) { for (const forward of local) await this.#openLocal(forward); }
      this.#opened = true;
      for (const forward of remote) {
        if (first) await this.#listenThere(session, forward);
        else void this.#listenAgain(session, forward, over.signal);
      }
      this.#session = session;
      await served;
    } catch (error) {
      signal.throwIfAborted();
      const over = error instanceof SttError && peer.stats().state !== "established";
      if (!over) throw error;
    } finally {
      this.#session = undefined;
      over.abort();
      // A session that was lost is not closed by this side: the loop would take that for the end.
      if (signal.aborted || peer.stats().state === "established") await peer.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
    this.#log.close();
  }

  async #listenThere(session: ForwardSession, forward: Forward): Promise<void> {
    const { host, port } = await session.listenThere(forward);
    this.#tell("remote", placeText({ host, port }), placeText(forward.target));
  }

  /** A port that was had before may be taken when the session comes back: a run is not given up for that. */
  async #listenAgain(
    session: ForwardSession,
    forward: Forward,
    signal: AbortSignal,
  ): Promise<void> {
    for (let pause = MIN_PAUSE_MS;; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      try {
        return await this.#listenThere(session, forward);
      } catch (error) {
        if (!(error instanceof SttError) || signal.aborted) return;
        this.#log.record(placeText(forward.target), error);
        await delay(pause, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
      }
    }
  }

  async #openLocal({ listen, target }: Forward): Promise<void> {
    const port = await openPort(listen, this.#policy.connections, (socket) => {
      if (this.#session === undefined) {
        resetSocket(socket);
        this.#log.record(placeText(target), new SttError("CLOSED", "there is no session now"));
      } else {
        void this.#session.carry(socket, target);
      }
    }, this.#context.report.warnOf);
    this.#ports.push(port);
    this.#tell("local", placeText(port.place), placeText(target));
  }

  #tell(direction: "local" | "remote", listen: string, target: string): void {
    const [from, to] = direction === "local" ? ["here", "there"] : ["there", "here"];
    this.#context.report.event(
      "forwarding",
      { direction, listen, target },
      `forwarding ${listen} ${from} to ${target} ${to}`,
    );
  }
}
