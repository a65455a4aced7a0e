/**
 * Two networks and a bad line between them, and the processes in them. The line itself is link.py: Python, because
 * neither runtime can ask the kernel for a TUN device.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Facts, LineProcess, type ProcessOptions } from "./process.ts";

/** The exit code that says: namespaces or TUN devices are not permitted here. */
export const NOT_PERMITTED = 77;

/** The line. Times in milliseconds, shares in percent, sizes in bytes of IP packets; what is absent is off. */
export interface LinkOptions {
  /** Round trip without queue. */
  readonly rtt?: number;
  /** At most so much more each way, evenly spread; the order of packets stays. */
  readonly jitter?: number;
  readonly loss?: number;
  /** Mean length of a run of lost packets; 1 is independent loss. */
  readonly burst?: number;
  readonly reorder?: number;
  readonly dup?: number;
  readonly corrupt?: number;
  /** Mbit/s, headers of IP included. */
  readonly rate?: number;
  /** The longest wait before the transmitter. Default 100. */
  readonly queue?: number;
  readonly mtu?: number;
  /** Larger packets are dropped without a word. */
  readonly narrowTo?: number;
  /** But only after so many UDP packets in that direction. */
  readonly narrowAfter?: number;
  /** After so many UDP packets of b its NAT forgets: they come from another port from then on. */
  readonly rebindAfter?: readonly number[];
  /** They also come from another address. */
  readonly rebindAddress?: boolean;
  readonly seed?: number;
  /** A file for a line per packet. */
  readonly trace?: string;
}

/** What happened in one direction. */
export interface DirectionReport {
  readonly packets: number;
  readonly bytes: number;
  readonly delivered: number;
  readonly queue_drops: number;
  readonly lost: number;
  readonly too_big: number;
  readonly reordered: number;
  readonly duplicated: number;
  readonly corrupted: number;
  /** Packets delivered more than 2 ms after their time: the machine, not the line. */
  readonly late: number;
  readonly worst_late_ms: number;
  readonly longest_queue_ms: number;
}

/** What happened in all. */
export interface LinkReport {
  readonly aToB: DirectionReport;
  readonly bToA: DirectionReport;
  /** What the kernels dropped: `device_drops` beside the link, `socket_drops` at full UDP sockets. */
  readonly kernel: Readonly<Record<Side, { device_drops: number; socket_drops: number }>>;
  readonly rebindings: number;
  readonly natDrops: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** One of the two networks. */
export type Side = "a" | "b";

const ADDRESSES: Readonly<Record<Side, { ipv4: string; ipv6: string }>> = {
  a: { ipv4: "10.86.0.1", ipv6: "fd86::1" },
  b: { ipv4: "10.86.0.2", ipv6: "fd86::2" },
};

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function linkArguments(options: LinkOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    if (value === true) return [flag];
    return [flag, Array.isArray(value) ? value.join(",") : String(value)];
  });
}

/** Why there can be no lab. */
export class LabRefused extends Error {}

/** A lab that is open. */
export class Lab {
  /** Programs started from now on get the processors before all others of the machine. Needs root. */
  urgent = false;
  readonly #link: LineProcess;
  readonly #ready: Facts;
  readonly #processes: LineProcess[] = [];

  private constructor(link: LineProcess, ready: Facts) {
    this.#link = link;
    this.#ready = ready;
  }

  /** Makes the networks. Throws {@link LabRefused} where that is not permitted or there is no Python 3. */
  static async open(options: LinkOptions = {}): Promise<Lab> {
    if (Deno.build.os !== "linux") throw new LabRefused("network namespaces are Linux's");
    let link: LineProcess;
    try {
      link = new LineProcess(
        ["python3", "-B", script("link.py"), ...linkArguments(options)],
        { stdin: true },
      );
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw new LabRefused("there is no python3");
      throw error;
    }
    const ready = await link.line((line) => "pid" in line || "refused" in line, "its networks");
    if (!("refused" in ready)) return new Lab(link, ready);
    await link.endInput();
    await link.exit();
    throw new LabRefused(`namespaces or TUN devices: ${String(ready["refused"])}`);
  }

  /** The process of the line. */
  get linkPid(): number {
    return Number(this.#ready["pid"]);
  }

  /** Python, as the link found itself to be. */
  get python(): string {
    return String(this.#ready["python"]);
  }

  /** Whether the networks have IPv6. */
  get hasIpv6(): boolean {
    return this.#ready["ipv6"] === true;
  }

  /** The address of a side, IPv6 in brackets. */
  host(side: Side, ipv6 = false): string {
    return ipv6 ? `[${ADDRESSES[side].ipv6}]` : ADDRESSES[side].ipv4;
  }

  /** Starts a program in the network of `side`; it is killed with the lab or with this process. */
  run(side: Side, command: readonly string[], options: ProcessOptions = {}): LineProcess {
    const user = this.#ready["user"] === null ? "-" : String(this.#ready["user"]);
    const where = [
      String(this.linkPid),
      String(this.#ready[side]),
      user,
      String(Deno.pid),
      this.urgent ? "1" : "0",
    ];
    const started = new LineProcess(
      [this.python, "-B", script("enter.py"), ...where, ...command],
      options,
    );
    this.#processes.push(started);
    return started;
  }

  /** Starts a script of this folder in the network of `side`. */
  runScript(side: Side, name: string, args: readonly string[]): LineProcess {
    return this.run(side, [this.python, "-B", script(name), ...args]);
  }

  /** The NAT of b forgets its mappings now. */
  async rebind(): Promise<void> {
    await this.#link.write("rebind\n");
  }

  /** Kills what still runs, stops the line and says what happened on it. */
  async close(): Promise<LinkReport> {
    for (const process of this.#processes) process.signal("SIGKILL");
    for (const process of this.#processes) await process.exit();
    await this.#link.endInput();
    const report = await this.#link.line((line) => "aToB" in line, "its report");
    await this.#link.exit();
    return report as unknown as LinkReport;
  }
}

/** What `act` made of a lab, and what happened on its line. */
export interface LabResult<T> {
  readonly value: T;
  readonly link: LinkReport;
}

/** Opens a lab for `act` and closes it whatever happens. */
export async function withLab<T>(
  options: LinkOptions,
  act: (lab: Lab) => Promise<T>,
): Promise<LabResult<T>> {
  const lab = await Lab.open(options);
  let value: T;
  try {
    value = await act(lab);
  } catch (error) {
    const link = await lab.close();
    if (error instanceof Error) error.message += `\nlink: ${JSON.stringify(link)}`;
    throw error;
  }
  return { value, link: await lab.close() };
}

/** Why labs cannot be opened here, or undefined if they can. */
export async function labRefusal(): Promise<string | undefined> {
  try {
    await withLab({}, () => Promise.resolve());
    return undefined;
  } catch (error) {
    if (error instanceof LabRefused) return error.message;
    throw error;
  }
}
