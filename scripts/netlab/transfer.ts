/**
 * One file from b to a, by `stt` or by the kernel's TCP. Time runs from the dial to the receiver's word that it has
 * the file on disk and verified.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Lab } from "./lab.ts";
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

/** Times of one transfer, in milliseconds. */
export interface TransferTimes {
  readonly connectMs: number;
  readonly ms: number;
}

/** Bits per microsecond, which is Mbit/s, of the whole: dial, file, answer. */
export function megabits(bytes: number, { connectMs, ms }: TransferTimes): number {
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
): Promise<TransferTimes> {
  const path = join(folder, `${sample.name}.received`);
  const receiver = lab.runScript("a", "tcp.py", ["receive", path]);
  const { port } = await receiver.event("listening");
  const sender = lab.runScript("b", "tcp.py", [
    "send",
    sample.path,
    lab.host("a"),
    String(port),
    control,
  ]);
  const { connectMs, ms } = await sender.event("sent", deadlineMs);
  await receiver.exit();
  await verify(path, sample);
  return { connectMs: Number(connectMs), ms: Number(ms) };
}

/** How `stt` is to carry a file. */
export interface SttTransfer {
  readonly runtime: Runtime;
  readonly congestion?: string | undefined;
  readonly ipv6?: boolean;
  readonly deadlineMs: number;
}

/** `stt listen` at a, `stt send` at b; the bytes compared by hash. */
export async function overStt(
  lab: Lab,
  { runtime, congestion, ipv6 = false, deadlineMs }: SttTransfer,
  sample: Sample,
  folder: string,
): Promise<TransferTimes> {
  const env = { STT_SEED: "5e".repeat(32) };
  const control = congestion === undefined ? [] : ["--congestion", congestion];
  const inbox = await Deno.makeTempDir({ dir: folder });
  const listener = lab.run(
    "a",
    sttCommand(runtime, [
      "listen",
      `udp://${lab.host("a", ipv6)}:0`,
      "--json",
      "--once",
      ...["--out", inbox],
      ...control,
    ]),
    { env },
  );
  const { address } = await listener.event("listening");
  const sender = lab.run(
    "b",
    sttCommand(runtime, ["send", sample.path, String(address), "--json", ...control]),
    { env },
  );
  const { handshakeMs } = await sender.event("connected", deadlineMs);
  const { ms, sha256 } = await sender.event("sent", deadlineMs);
  if (sha256 !== sample.sha256) throw new Error("the sender read other bytes than it was given");
  await verify(join(inbox, sample.name), sample);
  for (const [name, process] of [["sender", sender], ["listener", listener]] as const) {
    const code = await process.exit();
    if (code !== 0) throw new Error(`the ${name} ended with ${code} after a whole transfer`);
  }
  return { connectMs: Number(handshakeMs), ms: Number(ms) };
}

/** Sends `sample` from b to a. Rejects if it does not arrive whole within `deadlineMs`. */
export function transfer(
  lab: Lab,
  carrier: Carrier,
  sample: Sample,
  folder: string,
  deadlineMs: number,
): Promise<TransferTimes> {
  return carrier.kind === "tcp"
    ? overTcp(lab, carrier.control, sample, folder, deadlineMs)
    : overStt(lab, { ...carrier, deadlineMs }, sample, folder);
}
