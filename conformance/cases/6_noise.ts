/** SPEC 6.1 and 6.2: suites, and both sides of a Noise handshake with fixed keys and times. @module */
import type { JsonObject, Request } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { NOISE_NAMES, prologueOf, seedId, seedKeys } from "../twin/handshake.ts";
import { encodeFields, type Fields, handshakeFrame } from "../twin/messages.ts";
import { TwinNoise } from "../twin/noise.ts";
import {
  ACCEPT,
  altered,
  at,
  each,
  endOf,
  initiatorOf,
  int,
  list,
  type Play,
  play,
  responderOf,
  SUITES,
} from "./6_scripts.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample } from "./rule.ts";

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
      const dialler = play({ suite, initiator: { node_seed: one.inputs.responder.node_seed } });
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
        [
          "this node itself dials",
          responderOf(one, [
            at("response", dialler.frames.HELLO),
            at("auth_proof", dialler.frames.AUTH_PROOF),
          ]),
        ],
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
