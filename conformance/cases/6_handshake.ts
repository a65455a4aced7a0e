/** SPEC 6.1 to 6.4: both sides of a handshake, played with fixed keys and times. @module */
import type { JsonObject, Request } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { NOISE_NAMES, prologueOf, seedId, seedKeys } from "../twin/handshake.ts";
import { encodeFields, type Fields, handshakeFrame } from "../twin/messages.ts";
import { TwinNoise } from "../twin/noise.ts";
import { cookieOf, makeRetry } from "../twin/retry.ts";
import {
  ACCEPT,
  altered,
  at,
  endOf,
  initiatorOf,
  type Play,
  play,
  responderOf,
  TIMES,
} from "./6_scripts.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample } from "./rule.ts";

const SUITES = [1, 2];

function each(make: (one: Play, suite: number) => readonly [string, Request][]): RuleTest[] {
  return SUITES.flatMap((suite) =>
    make(play({ suite }), suite).map(([comment, request]) => ({
      comment: `suite ${suite}: ${comment}`,
      request,
    }))
  );
}

const int = (value: number | string): Fields[string] => ({ int: String(value) });
const list = (...values: number[]): Fields[string] => ({
  list: values.map((value) => ({ int: String(value) })),
});

export function suiteRules(): Rule[] {
  const book = new RuleBook("6.1");
  const listener = (one: Play, hello: string, suites: number[]): Request =>
    responderOf(one, [at("response", hello)], {
      suites,
      payload: {
        ...one.inputs.responder.payload,
        suite: int(suites[0] as number),
        suites: list(...suites),
      } as unknown as JsonObject,
    });
  book.accepts(
    1,
    "suite-retry",
    "another entry of the list is answered with RETRY code 3",
    each((one, suite) => [
      ["the listener takes the second", listener(one, one.frames.HELLO, [3 - suite])],
      [
        "the first is unknown",
        listener(one, altered(one, "HELLO", { suites: list(9, 1) }), [1, 2]),
      ],
      [
        "unknown ones before and behind",
        listener(one, altered(one, "HELLO", { suites: list(127, 9, 2, 8) }), [1, 2]),
      ],
    ]),
  );
  book.refuses(
    2,
    "no-common-suite",
    "no common suite: silence",
    each((one, suite) => [
      ["unknown ones only", listener(one, altered(one, "HELLO", { suites: list(9, 10) }), [1, 2])],
      [
        "the other one only",
        listener(one, altered(one, "HELLO", { suites: list(suite) }), [3 - suite]),
      ],
      [
        "suite 127 at a default node",
        listener(one, altered(one, "HELLO", { suites: list(127) }), [1, 2]),
      ],
      ["zero and negative", listener(one, altered(one, "HELLO", { suites: list(0, -1) }), [1, 2])],
    ]),
  );
  book.refuses(
    3,
    "other-suite",
    "RESPONSE names suites[0] and nothing else",
    each((one, suite) => [
      [
        "the other suite",
        initiatorOf(one, [
          at("auth_proof", altered(one, "RESPONSE", { suite: int(3 - suite) })),
          at("auth_proof", one.frames.RESPONSE),
        ]),
      ],
      [
        "suite 127",
        initiatorOf(one, [
          at("auth_proof", altered(one, "RESPONSE", { suite: int(127) })),
          at("auth_proof", one.frames.RESPONSE),
        ]),
      ],
    ]),
  );
  return book.rules;
}

/** One bit of every field of a message that is covered by nothing but the handshake. */
const FIELDS: Readonly<Record<"RESPONSE" | "AUTH_PROOF" | "FINAL", readonly string[]>> = {
  RESPONSE: ["node_id", "nonce", "challenge", "timestamp", "session_id"],
  AUTH_PROOF: ["proof", "timestamp", "session_id"],
  FINAL: ["confirmation", "timestamp", "session_id"],
};

function flipped(one: Play, name: "RESPONSE" | "AUTH_PROOF" | "FINAL"): [string, string][] {
  return FIELDS[name].map((
    field,
  ) => [`bit flipped in ${field}`, flip(one.frames[name], endOf(one, name, field))]);
}

const LOW_ORDER = [
  "00".repeat(32),
  "01" + "00".repeat(31),
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
];

/** A HELLO whose commitment verifies, with an ephemeral key of low order. */
function lowOrderHello(one: Play, key: string): string {
  const seed = unhex(one.inputs.shared_seed);
  const { commitment: _, ...genuine } = one.result.messages.HELLO.fields;
  const head: Fields = {
    ...genuine,
    nonce: { bytes: key },
    seed_id: { bytes: hex(seedId(seed, unhex(key))) },
  };
  const noise = new TwinNoise({
    protocolName: NOISE_NAMES[one.inputs.suite] as string,
    initiator: true,
    prologue: prologueOf(head),
    ephemeralPublic: unhex(key),
    psks: [seedKeys(seed).psk],
  });
  const first = noise.write(new Uint8Array(0));
  return hex(
    handshakeFrame(encodeFields({ ...head, commitment: { bytes: hex(first.slice(32)) } })),
  );
}

export function noiseRules(): Rule[] {
  const book = new RuleBook("6.2");
  const whole = (comment: string, one: Play, side: "initiator" | "responder"): RuleTest => ({
    comment: `suite ${one.inputs.suite}: ${comment}`,
    request: side === "initiator"
      ? initiatorOf(one, [at("auth_proof", one.frames.RESPONSE), at("final", one.frames.FINAL)])
      : responderOf(one, [
        at("response", one.frames.HELLO),
        at("auth_proof", one.frames.AUTH_PROOF),
        ACCEPT,
      ]),
  });
  const plays = SUITES.flatMap((suite): [string, Play][] => [
    ["plain", play({ suite })],
    ["pair key", play({ suite, pairKey: sample("pair key", 32) })],
    ["unknown HELLO fields", play({ suite, extra: { future: { bytes: "00ff" }, zz: list(1, 2) } })],
    [
      "parameters",
      play({
        suite,
        initiatorParameters: { max_idle: int(0), app: { text: "chat" } },
        responderParameters: { migrate: { bool: false }, reset: { bytes: "0f".repeat(16) } },
      }),
    ],
    [
      "unknown parameters",
      play({
        suite,
        initiatorParameters: { zz: { text: "x" } },
        responderParameters: { a: { bool: true } },
      }),
    ],
  ]);
  book.accepts(
    20,
    "initiator",
    "the initiator's messages, session id and secrets",
    plays.map(([name, one]) => whole(name, one, "initiator")),
  );
  book.accepts(
    21,
    "responder",
    "the responder's messages, session id and secrets",
    plays.map(([name, one]) => whole(name, one, "responder")),
  );
  book.refuses(
    22,
    "response-tampered",
    "RESPONSE with a flipped bit is dropped, the genuine one still counts",
    each((one) =>
      flipped(one, "RESPONSE").map((
        [what, frame],
      ) => [
        what,
        initiatorOf(one, [
          at("auth_proof", frame),
          at("auth_proof", one.frames.RESPONSE),
          at("final", one.frames.FINAL),
        ]),
      ])
    ),
  );
  book.refuses(
    23,
    "proof-tampered",
    "AUTH_PROOF with a flipped bit is dropped, the genuine one still counts",
    each((one) =>
      flipped(one, "AUTH_PROOF").map((
        [what, frame],
      ) => [
        what,
        responderOf(one, [
          at("response", one.frames.HELLO),
          at("auth_proof", frame),
          at("auth_proof", one.frames.AUTH_PROOF),
          ACCEPT,
        ]),
      ])
    ),
  );
  book.refuses(
    24,
    "final-tampered",
    "FINAL with a flipped bit is dropped, the genuine one still counts",
    each((one) =>
      flipped(one, "FINAL").map((
        [what, frame],
      ) => [
        what,
        initiatorOf(one, [
          at("auth_proof", one.frames.RESPONSE),
          at("final", frame),
          at("final", one.frames.FINAL),
        ]),
      ])
    ),
  );
  book.refuses(
    25,
    "field-added",
    "a field added on the way is in the hash",
    each((one) => [
      [
        "RESPONSE",
        initiatorOf(one, [
          at("auth_proof", altered(one, "RESPONSE", { x: int(1) })),
          at("auth_proof", one.frames.RESPONSE),
        ]),
      ],
      [
        "AUTH_PROOF",
        responderOf(one, [
          at("response", one.frames.HELLO),
          at("auth_proof", altered(one, "AUTH_PROOF", { x: int(1) })),
          at("auth_proof", one.frames.AUTH_PROOF),
        ]),
      ],
      [
        "FINAL",
        initiatorOf(one, [
          at("auth_proof", one.frames.RESPONSE),
          at("final", altered(one, "FINAL", { x: int(1) })),
          at("final", one.frames.FINAL),
        ]),
      ],
      [
        "HELLO",
        responderOf(one, [
          at("response", altered(one, "HELLO", { x: int(1) })),
          at("response", one.frames.HELLO),
        ]),
      ],
    ]),
  );
  book.refuses(
    26,
    "parameters-refused",
    "payloads out of limits end the handshake",
    [
      ["max_frame", { max_frame: int(100) }],
      ["ack_every", { ack_every: int(65) }],
      ["max_idle", { max_idle: { bool: true } }],
      ["app", { app: { text: "x".repeat(65) } }],
      ["suites", { suites: list(9) }],
      ["versions", { versions: list(2) }],
    ].flatMap(([name, extra]) =>
      SUITES.flatMap((suite): RuleTest[] => {
        const bad = extra as Fields;
        const second = play({ suite, responderParameters: bad });
        const third = play({ suite, initiatorParameters: bad });
        const good = play({ suite });
        return [
          {
            comment: `suite ${suite}: ${name} in message 2`,
            request: initiatorOf(good, [at("auth_proof", second.frames.RESPONSE)]),
          },
          {
            comment: `suite ${suite}: ${name} in message 3`,
            request: responderOf(good, [
              at("response", third.frames.HELLO),
              at("auth_proof", third.frames.AUTH_PROOF),
            ]),
          },
        ];
      })
    ),
  );
  book.refuses(
    27,
    "identity",
    "another node than the expected one, and this node itself",
    each((one, suite) => {
      const stranger = play({ suite, responder: { node_seed: sample("stranger", 32) } });
      const self = play({ suite, responder: { node_seed: one.inputs.initiator.node_seed } });
      return [
        [
          "another node answers",
          initiatorOf(
            one,
            [at("auth_proof", stranger.frames.RESPONSE)],
            one.inputs.responder.node_id,
          ),
        ],
        ["this node itself answers", initiatorOf(one, [at("auth_proof", self.frames.RESPONSE)])],
      ];
    }),
  );
  book.accepts(
    28,
    "pinned",
    "the expected node",
    each((one) => [
      [
        "pinned",
        initiatorOf(
          one,
          [at("auth_proof", one.frames.RESPONSE), at("final", one.frames.FINAL)],
          one.inputs.responder.node_id,
        ),
      ],
    ]),
  );
  book.refuses(
    29,
    "pair-key",
    "pair keys that differ",
    each((one, suite) => {
      const paired = play({ suite, pairKey: sample("pair key", 32) });
      const other = play({ suite, pairKey: sample("another pair key", 32) });
      const proof = (listener: Play, dialler: Play): Request =>
        responderOf(listener, [
          at("response", dialler.frames.HELLO),
          at("auth_proof", dialler.frames.AUTH_PROOF),
        ]);
      return [["only the initiator has one", proof(one, paired)], [
        "only the listener has one",
        proof(paired, one),
      ], ["two that differ", proof(paired, other)]];
    }),
  );
  book.refuses(
    30,
    "all-zero",
    "ephemeral keys of low order make an all-zero secret",
    each((one) =>
      LOW_ORDER.flatMap((key, i): [string, Request][] => {
        const own = unhex(one.inputs.initiator.nonce);
        const session = unhex(key).slice(0, 8).map((byte, k) => byte ^ (own[k] as number));
        const response = altered(one, "RESPONSE", {
          nonce: { bytes: key },
          session_id: { bytes: hex(session) },
        });
        return [
          [
            `RESPONSE, point ${i + 1}`,
            initiatorOf(one, [at("auth_proof", response), at("auth_proof", one.frames.RESPONSE)]),
          ],
          [`HELLO, point ${i + 1}`, responderOf(one, [at("response", lowOrderHello(one, key))])],
        ];
      })
    ),
  );
  return book.rules;
}

export function orderRules(): Rule[] {
  const book = new RuleBook("6.3");
  const proof = at("auth_proof", "");
  const responderTo = (one: Play, ...events: JsonObject[]): Request =>
    responderOf(one, [at("response", one.frames.HELLO), ...events]);
  book.accepts(
    1,
    "hello-repeated",
    "an identical HELLO gets the stored RESPONSE",
    each((one) => [
      ["twice", responderTo(one, at("auth_proof", one.frames.HELLO))],
      [
        "with a cookie now",
        responderTo(
          one,
          at("auth_proof", altered(one, "HELLO", { cookie: { bytes: "00".repeat(20) } })),
        ),
      ],
    ]),
  );
  book.accepts(
    2,
    "proof-repeated",
    "an identical AUTH_PROOF gets the stored FINAL, 5 times",
    each((one) => {
      const again = { ...proof, receive: one.frames.AUTH_PROOF, at: TIMES.final };
      return [[
        "5 times",
        responderTo(
          one,
          { ...again, at: TIMES.auth_proof },
          ACCEPT,
          again,
          again,
          again,
          again,
          again,
        ),
      ]];
    }),
  );
  book.refuses(
    3,
    "proof-repeated-too-often",
    "not a sixth time, and not before it was accepted",
    each((one) => {
      const again = { ...proof, receive: one.frames.AUTH_PROOF, at: TIMES.final };
      return [
        [
          "the sixth",
          responderTo(
            one,
            { ...again, at: TIMES.auth_proof },
            ACCEPT,
            again,
            again,
            again,
            again,
            again,
            again,
          ),
        ],
        ["undecided", responderTo(one, again, again)],
      ];
    }),
  );
  book.refuses(
    4,
    "nonce-reused",
    "the same nonce with another content is dropped",
    each((one, suite) => {
      const later = play({ suite, times: { hello: "1731000000001" } });
      const extra = play({ suite, extra: { x: int(1) } });
      return [
        ["another timestamp", responderTo(one, at("response", later.frames.HELLO))],
        ["another field", responderTo(one, at("response", extra.frames.HELLO))],
      ];
    }),
  );
  book.refuses(
    5,
    "unknown-session",
    "AUTH_PROOF and FINAL are found by session id",
    each((one, suite) => {
      const other = play({
        suite,
        initiator: { ephemeral_private: sample("another ephemeral", 32) },
      });
      return [
        [
          "AUTH_PROOF of another handshake",
          responderTo(
            one,
            at("auth_proof", other.frames.AUTH_PROOF),
            at("auth_proof", one.frames.AUTH_PROOF),
          ),
        ],
        ["AUTH_PROOF before HELLO", responderOf(one, [at("auth_proof", one.frames.AUTH_PROOF)])],
        [
          "FINAL of another handshake",
          initiatorOf(one, [
            at("auth_proof", one.frames.RESPONSE),
            at("final", other.frames.FINAL),
            at("final", one.frames.FINAL),
          ]),
        ],
        [
          "RESPONSE of another handshake",
          initiatorOf(one, [
            at("auth_proof", other.frames.RESPONSE),
            at("auth_proof", one.frames.RESPONSE),
          ]),
        ],
      ];
    }),
  );
  book.refuses(
    6,
    "not-awaited",
    "messages out of place",
    each((one) => [
      [
        "FINAL before RESPONSE",
        initiatorOf(one, [at("final", one.frames.FINAL), at("final", one.frames.RESPONSE)]),
      ],
      [
        "RESPONSE twice",
        initiatorOf(one, [
          at("auth_proof", one.frames.RESPONSE),
          at("final", one.frames.RESPONSE),
          at("final", one.frames.FINAL),
        ]),
      ],
      [
        "HELLO at the initiator",
        initiatorOf(one, [at("response", one.frames.HELLO), at("auth_proof", one.frames.RESPONSE)]),
      ],
      [
        "RESPONSE at the responder",
        responderTo(
          one,
          at("auth_proof", one.frames.RESPONSE),
          at("auth_proof", one.frames.AUTH_PROOF),
        ),
      ],
      [
        "FINAL at the responder",
        responderTo(
          one,
          at("auth_proof", one.frames.FINAL),
          at("auth_proof", one.frames.AUTH_PROOF),
        ),
      ],
    ]),
  );
  return book.rules;
}

const SECRET = sample("cookie secret", 32);
const HERE = { ip: "7f000001", port: 4780 };

export function strangerRules(): Rule[] {
  const book = new RuleBook("6.4");
  const seeds = ["a", "b", "c"].map((label) => sample(`listener seed ${label}`, 32));
  book.accepts(
    1,
    "several-seeds",
    "each seed of the listener is tried",
    SUITES.flatMap((suite) =>
      seeds.map((seed, i): RuleTest => {
        const one = play({ suite, seed, seeds });
        return {
          comment: `suite ${suite}: seed ${i + 1} of 3`,
          request: responderOf(one, [
            at("response", one.frames.HELLO),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ]),
        };
      })
    ),
  );
  book.refuses(
    2,
    "hello-refused",
    "HELLOs of strangers are dropped in silence",
    each((one, suite) => {
      const stranger = play({
        suite,
        seed: sample("another seed", 32),
        seeds: one.inputs.listener_seeds,
      });
      const drop = (frame: string): Request =>
        responderOf(one, [at("response", frame), at("response", one.frames.HELLO)]);
      return [
        ["another seed", drop(stranger.frames.HELLO)],
        ["seed_id", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "seed_id")))],
        ["commitment", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "commitment")))],
        ["node_id", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "node_id")))],
        ["nonce", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "nonce")))],
        ["timestamp", drop(flip(one.frames.HELLO, endOf(one, "HELLO", "timestamp")))],
        ["capabilities", drop(altered(one, "HELLO", { capabilities: int(0) }))],
        [
          "order of suites behind the first",
          drop(altered(one, "HELLO", { suites: list(suite, 3 - suite, 9) })),
        ],
        [
          "commitment of another handshake",
          drop(
            altered(one, "HELLO", {
              commitment: play({ suite, extra: { x: int(1) } }).result.messages.HELLO.fields
                .commitment as Fields[string],
            }),
          ),
        ],
      ];
    }),
  );
  book.accepts(
    3,
    "version-retry",
    "another version is answered with RETRY code 2",
    each((one) =>
      [0, 2, 3, 100].map((
        version,
      ) => [
        `version ${version}`,
        responderOf(one, [at("response", altered(one, "HELLO", { version: int(version) }))]),
      ])
    ),
  );
  const cookies = { cookie_secret: SECRET };
  const late = (ms: number): string => String(BigInt(TIMES.hello) + BigInt(ms));
  book.accepts(
    4,
    "cookie",
    "a HELLO that is late, or comes under load, is asked for a cookie",
    each((one) => {
      const asked = (time: string, from = HERE): JsonObject => ({
        receive: one.frames.HELLO,
        at: time,
        from,
      });
      return [
        ["120000 ms late: not yet", responderOf(one, [asked(late(120000))], cookies)],
        ["120001 ms late", responderOf(one, [asked(late(120001))], cookies)],
        ["120001 ms early", responderOf(one, [asked(late(-120001))], cookies)],
        ["under load", responderOf(one, [asked(TIMES.response)], { ...cookies, under_load: true })],
        [
          "IPv6 address",
          responderOf(one, [
            asked(TIMES.response, { ip: "20010db8000000000000000000000001", port: 65535 }),
          ], { ...cookies, under_load: true }),
        ],
        [
          "under load, with the cookie",
          responderOf(one, [withCookie(one, HERE, TIMES.response)], {
            ...cookies,
            under_load: true,
          }),
        ],
        ["late, with the cookie", responderOf(one, [withCookie(one, HERE, late(600000))], cookies)],
        [
          "late, with a cookie of two minutes ago",
          responderOf(one, [withCookie(one, HERE, late(600000), late(480000))], cookies),
        ],
        [
          "cookie of another address",
          responderOf(one, [{
            ...withCookie(one, { ip: "7f000002", port: 4780 }, TIMES.response),
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
        [
          "cookie of another port",
          responderOf(one, [{
            ...withCookie(one, { ip: "7f000001", port: 4781 }, TIMES.response),
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
        [
          "cookie of ten minutes ago",
          responderOf(one, [withCookie(one, HERE, TIMES.response, late(-600000))], {
            ...cookies,
            under_load: true,
          }),
        ],
        [
          "cookie from the future",
          responderOf(one, [withCookie(one, HERE, TIMES.response, late(600000))], {
            ...cookies,
            under_load: true,
          }),
        ],
        [
          "cookie cut",
          responderOf(one, [{
            receive: altered(one, "HELLO", { cookie: { bytes: "00".repeat(19) } }),
            at: TIMES.response,
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
        [
          "no cookie at all",
          responderOf(one, [{
            receive: altered(one, "HELLO", { cookie: { bytes: "" } }),
            at: TIMES.response,
            from: HERE,
          }], { ...cookies, under_load: true }),
        ],
      ];
    }),
  );
  const retry = (
    one: Play,
    code: number,
    changes: Partial<Parameters<typeof makeRetry>[1]> = {},
    seed = one.inputs.shared_seed,
  ): string =>
    makeRetry(unhex(seed), {
      nonce: unhex(one.inputs.initiator.nonce),
      code,
      ...(code === 1 ? { cookie: unhex(sample("cookie", 20)) } : {}),
      ...changes,
    }).frame;
  book.accepts(
    5,
    "retry-cookie",
    "RETRY code 1: the same HELLO again, with the cookie",
    each((one) => [
      [
        "once",
        initiatorOf(one, [
          at("response", retry(one, 1)),
          at("auth_proof", one.frames.RESPONSE),
          at("final", one.frames.FINAL),
        ]),
      ],
      [
        "twice",
        initiatorOf(one, [
          at("response", retry(one, 1)),
          at("response", retry(one, 1, { cookie: unhex("aa") })),
        ]),
      ],
    ]),
  );
  book.refuses(
    6,
    "retry-refused",
    "RETRY that does not verify, or comes too often",
    each((one) => {
      const first = retry(one, 1);
      const drop = (frame: string): Request =>
        initiatorOf(one, [at("response", frame), at("auth_proof", one.frames.RESPONSE)]);
      return [
        // The content of mac lies behind its name, a tag and a length.
        ["mac", drop(flip(first, first.indexOf("6d6163") / 2 + 3 + 5))],
        ["another seed", drop(retry(one, 1, {}, sample("another seed", 32)))],
        ["another nonce", drop(retry(one, 1, { nonce: unhex(sample("another nonce", 32)) }))],
        [
          "the third",
          initiatorOf(one, [at("response", first), at("response", first), at("response", first)]),
        ],
        ["code 4, busy", initiatorOf(one, [at("response", retry(one, 4))])],
        ["code 4 of a stranger", drop(retry(one, 4, {}, sample("another seed", 32)))],
        ["code 5", drop(retry(one, 5))],
      ];
    }),
  );
  book.accepts(
    7,
    "retry-frame",
    "RETRY always carries all its fields",
    [1, 2, 3, 4].map((code): RuleTest => ({
      comment: `code ${code}`,
      request: {
        op: "retry.make",
        seed: seeds[0] as string,
        nonce: sample("nonce a", 32),
        code,
        cookie: code === 1 ? sample("cookie", 20) : "",
        versions: code === 2 ? [1] : [],
        suites: code === 3 ? [2, 1] : [],
      },
    })),
  );
  book.accepts(
    8,
    "cookie-bytes",
    "cookies bind address, port, nonce and minute",
    [HERE, { ip: "20010db8000000000000000000000001", port: 1 }, { ip: "ffffffff", port: 65535 }]
      .flatMap((from) =>
        [0, 28850000, 4294967295].map((minute): RuleTest => ({
          comment: `${from.ip}, minute ${minute}`,
          request: {
            op: "cookie.make",
            secret: SECRET,
            ...from,
            nonce: sample("nonce a", 32),
            minute,
          },
        }))
      ),
  );
  return book.rules;
}

/** HELLO with the cookie that the listener would have made for `from` at `made`. */
function withCookie(
  one: Play,
  from: { ip: string; port: number },
  time: string,
  made: string = time,
): JsonObject {
  const cookie = hex(cookieFor(one, from, made));
  return { receive: altered(one, "HELLO", { cookie: { bytes: cookie } }), at: time, from };
}

function cookieFor(one: Play, from: { ip: string; port: number }, made: string): Uint8Array {
  return cookieOf(
    { secret: SECRET, ...from },
    unhex(one.inputs.initiator.nonce),
    Number(BigInt(made) / 60000n),
  );
}
