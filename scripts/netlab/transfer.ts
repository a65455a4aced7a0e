/**
 * One file from b to a, by `stt` or by the kernel's TCP. Time runs from the dial to the receiver's word that it has
 * the file on disk and verified.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Lab } from "./lab.ts";
import { type Facts, type LineProcess, TimeIsUp } from "./process.ts";
import { type Runtime, sttCommand } from "./programs.ts";

/** A file to send. */
export interface Sample {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Who carries the file. */
export type Carrier =
  | { readonly kind: "tcp"; readonly control: string }
  | { readonly kind: "stt"; readonly runtime: Runtime; readonly congestion?: string };

/** What came of one transfer. */
export interface TransferResult {
  readonly bytes: number;
  readonly connectMs: number;
  /** From then to the end. */
  readonly ms: number;
  /** Everything arrived and was verified; otherwise time was up, and `bytes` were acknowledged. */
  readonly whole: boolean;
}

/** Mbit/s from the established connection to the answer. */
export function megabits({ bytes, ms }: TransferResult): number {
  return bytes * 8 / ms / 1000;
}

/** Mbit/s of the whole, the dial included. */
export function megabitsWithDial({ bytes, connectMs, ms }: TransferResult): number {
  return bytes * 8 / (connectMs + ms) / 1000;
}

/** A name for tables. */
export function carrierName(carrier: Carrier): string {
  if (carrier.kind === "tcp") return `tcp ${carrier.control}`;
  return `stt ${carrier.runtime}${
    carrier.congestion === undefined ? "" : ` ${carrier.congestion}`
  }`;
}

/** Makes a file of `bytes` that no line compresses and no shift goes unnoticed in. */
export async function makeSample(folder: string, bytes: number): Promise<Sample> {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65536) {
    crypto.getRandomValues(content.subarray(at, Math.min(bytes, at + 65536)));
  }
  const name = `sample-${bytes}`;
  const path = join(folder, name);
  await Deno.writeFile(path, content);
  return { path, name, bytes, sha256: createHash("sha256").update(content).digest("hex") };
}

async function sha256Of(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

async function verify(path: string, sample: Sample): Promise<void> {
  if (await sha256Of(path) !== sample.sha256) throw new Error(`${path} is not what was sent`);
  await Deno.remove(path);
}

async function overTcp(
  lab: Lab,
  control: string,
  sample: Sample,
  folder: string,
  deadlineMs: number,
): Promise<TransferResult> {
  const path = join(folder, `${sample.name}.received`);
  const receiver = lab.runScript("a", "tcp.py", ["receive", path]);
  const { port } = await receiver.event("listening");
  const sender = lab.runScript("b", "tcp.py", [
    "send",
    sample.path,
    lab.host("a"),
    String(port),
    control,
    String(deadlineMs / 1000),
  ]);
  const sent = await sender.event("sent", deadlineMs + 5000);
  if (sent["whole"] === true) {
    await receiver.exit();
    await verify(path, sample);
  }
  return {
    bytes: Number(sent["bytes"]),
    connectMs: Number(sent["connectMs"]),
    ms: Number(sent["ms"]),
    whole: sent["whole"] === true,
  };
}

/** How `stt` is to carry a file. */
export interface SttTransfer {
  readonly runtime: Runtime;
  readonly congestion?: string | undefined;
  readonly ipv6?: boolean;
  readonly deadlineMs: number;
}

/** Both sides of a transfer by `stt`. */
export interface SttPair {
  readonly listener: LineProcess;
  readonly sender: LineProcess;
  readonly address: string;
  /** Where the file appears. */
  readonly arrival: string;
}

/** The seed of every session in the lab. */
export const LAB_SEED: Readonly<Record<string, string>> = { STT_SEED: "5e".repeat(32) };

/** Starts `stt listen` at a and `stt send` at b. */
export async function startStt(
  lab: Lab,
  { runtime, congestion, ipv6 = false }: Omit<SttTransfer, "deadlineMs">,
  sample: Sample,
  folder: string,
  listenOptions: readonly string[] = [],
): Promise<SttPair> {
  const env = LAB_SEED;
  const control = congestion === undefined ? [] : ["--congestion", congestion];
  const inbox = await Deno.makeTempDir({ dir: folder });
  const address = `udp://${lab.host("a", ipv6)}:0`;
  const listen = ["listen", address, "--json", "--out", inbox, ...listenOptions, ...control];
  const listener = lab.run("a", sttCommand(runtime, listen), { env });
  const bound = String((await listener.event("listening"))["address"]);
  const send = ["send", sample.path, bound, "--json", ...control];
  const sender = lab.run("b", sttCommand(runtime, send), { env });
  return { listener, sender, address: bound, arrival: join(inbox, sample.name) };
}

/** `stt listen` at a, `stt send` at b; the bytes compared by hash. Rejects if that takes longer than `deadlineMs`. */
export async function overStt(
  lab: Lab,
  options: SttTransfer,
  sample: Sample,
  folder: string,
): Promise<TransferResult> {
  const { listener, sender, arrival } = await startStt(lab, options, sample, folder, ["--once"]);
  const { handshakeMs } = await sender.event("connected", options.deadlineMs);
  const { ms, sha256 } = await sentOrLate(sender, listener, options.deadlineMs);
  if (sha256 !== sample.sha256) throw new Error("the sender read other bytes than it was given");
  await verify(arrival, sample);
  for (const [name, process] of [["sender", sender], ["listener", listener]] as const) {
    const code = await process.exit();
    if (code !== 0) throw new Error(`the ${name} ended with ${code} after a whole transfer`);
  }
  return { bytes: sample.bytes, connectMs: Number(handshakeMs), ms: Number(ms), whole: true };
}

/** Time was up before the file was there. */
export class TooSlow extends Error {
  readonly result: TransferResult;

  constructor(message: string, result: TransferResult) {
    super(message);
    this.result = result;
  }
}

async function sentOrLate(
  sender: LineProcess,
  listener: LineProcess,
  deadlineMs: number,
): Promise<Facts> {
  try {
    return await sender.event("sent", deadlineMs);
  } catch (error) {
    const progress = listener.lines.findLast(({ event }) => event === "progress");
    if (!(error instanceof TimeIsUp) || progress === undefined) throw error;
    const bytes = Number(progress["bytes"]);
    throw new TooSlow(error.message, { bytes, connectMs: 0, ms: deadlineMs, whole: false });
  }
}

/** Sends `sample` from b to a; after `deadlineMs` says how far it came. */
export async function transfer(
  lab: Lab,
  carrier: Carrier,
  sample: Sample,
  folder: string,
  deadlineMs: number,
): Promise<TransferResult> {
  if (carrier.kind === "tcp") {
    return await overTcp(lab, carrier.control, sample, folder, deadlineMs);
  }
  try {
    return await overStt(lab, { ...carrier, deadlineMs }, sample, folder);
  } catch (error) {
    if (error instanceof TooSlow) return error.result;
    throw error;
  }
}
