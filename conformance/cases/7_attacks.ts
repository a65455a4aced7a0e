/** SPEC 7: frames sent back, moved between sessions, with a sequence used twice, unprotected, with odd epochs. @module */
import { hex, unhex } from "../twin/bytes.ts";
import { encodeFrame } from "../twin/frame.ts";
import { type PlainFrame, sealFrame } from "../twin/protection.ts";
import { encodeVarint } from "../twin/varint.ts";
import { type Play, play, SUITES } from "./6_scripts.ts";
import { type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

type Direction = "i2r" | "r2i";

/** Frames of one direction of a session with fixed keys. */
class Sender {
  readonly suite: number;
  readonly session: string;
  readonly #secret: Uint8Array;

  constructor(one: Play, direction: Direction) {
    this.suite = one.inputs.suite;
    this.session = hex(one.result.sessionId);
    this.#secret = one.result.secrets[`traffic_${direction}`];
  }

  frame(sequence: number, changes: Partial<PlainFrame> = {}): string {
    return sealFrame(this.suite, this.#secret, {
      type: 1,
      flags: 0,
      session_id: this.session,
      sequence: String(sequence),
      timestamp: "0",
      stream_id: 7,
      epoch: 0,
      plaintext: sample(`attack ${sequence}`, 24),
      ...changes,
    }).frame;
  }

  /** What the other end of this direction makes of `frames`. */
  receive(comment: string, reliable: boolean, frames: readonly string[]): RuleTest {
    return test(
      `suite ${this.suite}, ${reliable ? "reliable" : "UDP"}: ${comment}`,
      "session.receive",
      {
        suite: this.suite,
        secret: hex(this.#secret),
        session_id: this.session,
        reliable,
        frames,
      },
    );
  }

  /** Refused on both kinds of transports; on UDP the genuine frame still opens. */
  refuses(comment: string, bad: string, genuine: string = this.frame(0)): RuleTest[] {
    return [
      this.receive(comment, false, [bad, genuine]),
      this.receive(comment, true, [bad]),
    ];
  }
}

function each(make: (one: Play, forth: Sender, back: Sender) => RuleTest[]): RuleTest[] {
  return SUITES.flatMap((suite) => {
    const one = play({ suite });
    return make(one, new Sender(one, "i2r"), new Sender(one, "r2i"));
  });
}

/** A frame that nobody sealed. */
function bare(session: string, type: number, metadata: string, payload: string): string {
  return hex(encodeFrame({
    frame_type: type,
    flags: 0,
    session_id: session,
    sequence: "0",
    timestamp: "0",
    stream_id: type === 3 ? 1 : 0,
    crypto_metadata: metadata === "" ? null : metadata,
    payload,
  }));
}

export function frameAttackRules(): Rule[] {
  const book = new RuleBook("7");
  book.refuses(
    16,
    "reflected",
    "a side's own frames sent back to it",
    each((_, forth, back) => [
      ...back.refuses("of the initiator", forth.frame(0)),
      ...forth.refuses("of the responder", back.frame(0)),
    ]),
  );
  book.refuses(
    17,
    "spliced",
    "frames of another session under this one's id",
    each((one, forth) => {
      const { suite } = one.inputs;
      const other = new Sender(play({ suite, extra: { x: { int: "1" } } }), "i2r");
      return forth.refuses(
        "same seeds and ephemeral keys",
        other.frame(0, {
          session_id: forth.session,
        }),
      );
    }),
  );
  book.refuses(
    18,
    "nonce-reused",
    "a second frame with a sequence that was there, whatever it holds",
    each((_, forth) => [
      ...[false, true].flatMap((reliable) => [
        forth.receive("other content", reliable, [
          forth.frame(0),
          forth.frame(0, { plaintext: sample("other content", 24) }),
        ]),
        forth.receive("in the next epoch", reliable, [
          forth.frame(0),
          forth.frame(1, { epoch: 1 }),
          forth.frame(1, { epoch: 1, plaintext: "" }),
        ]),
        forth.receive("of the epoch before", reliable, [
          forth.frame(0),
          forth.frame(1, { epoch: 1 }),
          forth.frame(0, { epoch: 1 }),
        ]),
      ]),
    ]),
  );
  book.refuses(
    19,
    "plaintext",
    "what is not sealed is not taken in an open session",
    each((_, forth) => {
      const close = "050000".padEnd(64, "0");
      return [1, 2, 3, 0x80, 0xff].flatMap((type) => [
        ...forth.refuses(`type ${type}, no metadata`, bare(forth.session, type, "", close)),
        ...forth.refuses(`type ${type}, an epoch`, bare(forth.session, type, "00", close)),
        ...forth.refuses(
          `type ${type}, no room for a tag`,
          bare(forth.session, type, "00", "0500"),
        ),
      ]);
    }),
  );
  book.refuses(
    20,
    "epoch-jump",
    "epochs without keys, near and far",
    each((_, forth) => {
      const far = [2n, 3n, 127n, 128n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 64n - 1n];
      return far.flatMap((epoch) =>
        forth.refuses(
          `epoch ${epoch}`,
          epoch < 200n
            ? forth.frame(0, { epoch: Number(epoch) })
            : bare(forth.session, 2, hex(encodeVarint(epoch)), "00".repeat(32)),
        )
      );
    }),
  );
  book.refuses(
    21,
    "epoch-tampered",
    "an epoch that was changed on the way",
    each((_, forth) => {
      const frame = unhex(forth.frame(0));
      frame[frame.length - 24 - 16 - 1] = 1;
      return forth.refuses("0 made 1", hex(frame));
    }),
  );
  return book.rules;
}
