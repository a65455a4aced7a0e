/** Protected frames of vectors/stt1/handshake.json, genuine and refused. @module */
import { type Check, Failure } from "../case.ts";
import type { Json, Request } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import type { HandshakeResult } from "../twin/handshake.ts";
import { twinCall } from "../twin/ops.ts";
import { openFrame, type PlainFrame, sealFrame } from "../twin/protection.ts";
import type { Entry, EntryCase } from "./section.ts";

type Direction = "i2r" | "r2i";

export function frames(entry: Entry, run: () => HandshakeResult): EntryCase[] {
  return (["i2r", "r2i"] as const).flatMap((direction) => {
    const list: Entry[] = entry.frames?.[direction] ?? [];
    return [
      ...list.map((frame, index) => ({
        name: `frames/${direction}/${index}`,
        section: "7",
        title: `${entry.name}: ${direction}, ${frame.note}`,
        run: (check: Check) => one(check, entry, run(), direction, frame),
      })),
      {
        name: `frames/${direction}/in-order`,
        section: "7",
        title: `${entry.name}: ${direction}, all frames in order`,
        run: (check: Check) => inOrder(check, entry, direction),
      },
    ];
  });
}

const PLAIN = [
  "type",
  "flags",
  "session_id",
  "sequence",
  "timestamp",
  "stream_id",
  "epoch",
  "plaintext",
] as const;

async function one(
  check: Check,
  entry: Entry,
  result: HandshakeResult,
  direction: Direction,
  frame: Entry,
): Promise<void> {
  const traffic = result.secrets[`traffic_${direction}`];
  const plain = Object.fromEntries(
    PLAIN.map((name) => [name, frame[name]]),
  ) as unknown as PlainFrame;
  const sealed = sealFrame(entry.suite, traffic, plain);
  for (const name of ["nonce", "metadata", "associated_data", "frame"] as const) {
    if (frame[name] !== undefined) check.data(frame[name], sealed[name], name);
  }
  const opened = openFrame(entry.suite, traffic, unhex(frame.frame));
  check.data(
    { ...plain } as Json,
    opened === undefined ? "does not verify" : { ...opened },
    "content",
  );
  const secret = hex(traffic);
  await check.gives({ op: "frame.seal", suite: entry.suite, secret, ...plain }, {
    frame: frame.frame,
  });
  await check.gives({ op: "frame.open", suite: entry.suite, secret, frame: frame.frame }, {
    ...plain,
  });
}

/** Some frames of the data have sequences far ahead, for sealing and opening alone. */
function consecutive(entry: Entry, direction: Direction): Entry[] {
  const list: Entry[] = entry.frames[direction];
  return list.filter((frame, index) => frame.sequence === String(index));
}

function receive(
  entry: Entry,
  direction: Direction,
  reliable: boolean,
  list: readonly string[],
): Request {
  return {
    op: "session.receive",
    suite: entry.suite,
    secret: entry.derived[`traffic_${direction}`],
    session_id: entry.derived.session_id,
    reliable,
    frames: list,
  };
}

async function inOrder(check: Check, entry: Entry, direction: Direction): Promise<void> {
  const list = consecutive(entry, direction);
  const results = list.map(({ plaintext, epoch }) => ({ plaintext, epoch }));
  for (const reliable of [false, true]) {
    const request = receive(entry, direction, reliable, list.map(({ frame }) => frame));
    const twin = twinCall(request);
    check.data(results, "ok" in twin ? twin.ok.results as Json : twin.error, "contents");
    await check.gives(request, { results });
  }
}

export function frameRefusal(
  entry: Entry,
  run: () => HandshakeResult,
  refused: Entry,
): EntryCase[] {
  const transports = refused.transport === "both" ? ["udp", "reliable"] : [refused.transport];
  if (!["udp", "reliable", "both"].includes(refused.transport)) {
    throw new Error(`transport ${refused.transport}`);
  }
  return transports.map((transport: string) => ({
    name: transport,
    section: "7",
    title: `${entry.name}: ${refused.direction} over ${transport}, ${refused.note}`,
    run: (check: Check) => {
      run();
      return refuse(check, entry, refused, transport === "reliable");
    },
  }));
}

async function refuse(
  check: Check,
  entry: Entry,
  refused: Entry,
  reliable: boolean,
): Promise<void> {
  const genuine: string[] = entry.frames[refused.direction].map(({ frame }: Entry) => frame);
  const before = genuine.slice(0, refused.accepted);
  // On UDP the session goes on with the next frame, unless the refused one ended it.
  const goesOn = !reliable && refused.expect !== "old_epoch";
  const next = consecutive(entry, refused.direction)[refused.accepted]?.frame;
  const after = goesOn && next !== undefined ? [next] : [];
  const request = receive(entry, refused.direction, reliable, [...before, refused.frame, ...after]);
  const twin = twinCall(request);
  if ("error" in twin) throw new Failure(`the twin refuses the script with ${twin.error}`);
  const expected = twin.ok.results as Entry[];
  const verdict = expected[refused.accepted];
  if (verdict.refused !== refused.expect && refused.choice === true) {
    check.note(`the data expect ${refused.expect} by a reading of their own`);
  } else check.data(refused.expect, verdict.refused ?? "accepted", "expect");
  const actual = (await check.ok(request)).results as Entry[];
  for (const [i, step] of expected.entries()) {
    if (step.refused === undefined) {
      check.equal(actual[i] ?? null, step, `frame ${i}`);
      continue;
    }
    if (actual[i]?.refused === undefined) {
      throw new Failure(`frame ${i} was opened, expected ${step.refused}`);
    }
    if (actual[i].refused !== step.refused) {
      check.note(`frame ${i} was refused as ${actual[i].refused}, expected ${step.refused}`);
    }
  }
}
