/** SPEC 6.2: keys of low order, in odd spellings, and of somebody else; all sent by a holder of the seed. @module */
import { hex, unhex } from "../twin/bytes.ts";
import type { Party, SentKeys } from "../twin/handshake.ts";
import { staticSecret } from "../twin/handshake.ts";
import { publicKey } from "../twin/primitives.ts";
import { ACCEPT, at, each, initiatorOf, type Play, play, responderOf } from "./6_scripts.ts";
import { flip, type Rule, RuleBook, sample } from "./rule.ts";
import type { JsonObject, Request } from "../protocol.ts";

/** Every spelling of a point with which each agreement is all zero (RFC 7748, section 5 masks the highest bit). */
const LOW_ORDER: readonly (readonly [string, string])[] = [
  ["0", "00".repeat(32)],
  ["1", "01" + "00".repeat(31)],
  ["order 8, the first", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
  ["order 8, the second", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
  ["p - 1", "ec" + "ff".repeat(30) + "7f"],
  ["p", "ed" + "ff".repeat(30) + "7f"],
  ["p + 1", "ee" + "ff".repeat(30) + "7f"],
  ["0 with the highest bit", "00".repeat(31) + "80"],
  ["1 with the highest bit", "01" + "00".repeat(30) + "80"],
  ["p with the highest bit", "ed" + "ff".repeat(31)],
];

/** The suite does not touch the keys: a third of the spellings is enough for the second one. */
function spellings(suite: number): typeof LOW_ORDER {
  return LOW_ORDER.filter((_, index) => suite === 1 || index % 3 === 0);
}

/** A play whose `side` sends other public keys than its own; its partner takes part without checking them. */
function sending(suite: number, side: "initiator" | "responder", sent_keys: SentKeys): Play {
  return play({ suite, [side]: { sent_keys } as Partial<Party> });
}

const proofs = (one: Play, ...frames: string[]): Request =>
  responderOf(one, [
    at("response", one.frames.HELLO),
    ...frames.map((frame): JsonObject => at("auth_proof", frame)),
    ACCEPT,
  ]);

const responses = (one: Play, bad: string, expect?: string): Request =>
  initiatorOf(one, [
    at("auth_proof", bad),
    at("auth_proof", one.frames.RESPONSE),
    at("final", one.frames.FINAL),
  ], expect);

export function keyAttackRules(): Rule[] {
  const book = new RuleBook("6.2");
  book.refuses(
    31,
    "all-zero-static",
    "a static key of low order makes an all-zero secret",
    each((one, suite) =>
      spellings(suite).flatMap(([name, key]): [string, Request][] => {
        const sent: SentKeys = { static: key, low_order: "s" };
        return [
          [
            `${name} in RESPONSE`,
            responses(one, sending(suite, "responder", sent).frames.RESPONSE),
          ],
          [
            `${name} in AUTH_PROOF`,
            proofs(one, sending(suite, "initiator", sent).frames.AUTH_PROOF, one.frames.AUTH_PROOF),
          ],
        ];
      })
    ),
  );
  book.refuses(
    32,
    "all-zero-ephemeral",
    "an ephemeral key of low order, of somebody who knows the secrets that it makes",
    each((one, suite) =>
      spellings(suite).flatMap(([name, key]): [string, Request][] => {
        const sent: SentKeys = { ephemeral: key, low_order: "e" };
        const dialler = sending(suite, "initiator", sent);
        return [
          [
            `${name} in RESPONSE`,
            responses(one, sending(suite, "responder", sent).frames.RESPONSE),
          ],
          [
            `${name} in HELLO`,
            responderOf(one, [
              at("response", dialler.frames.HELLO),
              at("auth_proof", dialler.frames.AUTH_PROOF),
            ]),
          ],
        ];
      })
    ),
  );
  book.accepts(
    33,
    "odd-spelling",
    "the highest bit of a public key is masked, and what was sent is what is hashed",
    each((one, suite) => {
      const { initiator, responder } = one.inputs;
      const masked = (key: string): string => flip(key, 31, 0x80);
      const whole = (other: Play, side: "initiator" | "responder"): Request =>
        side === "initiator"
          ? responderOf(one, [
            at("response", other.frames.HELLO),
            at("auth_proof", other.frames.AUTH_PROOF),
            ACCEPT,
          ])
          : initiatorOf(one, [
            at("auth_proof", other.frames.RESPONSE),
            at("final", other.frames.FINAL),
          ]);
      const made = (side: "initiator" | "responder", sent: SentKeys): Request =>
        whole(sending(suite, side, sent), side);
      return [
        [
          "ephemeral key of the initiator",
          made("initiator", { ephemeral: masked(initiator.nonce) }),
        ],
        [
          "ephemeral key of the responder",
          made("responder", { ephemeral: masked(responder.nonce) }),
        ],
        ["static key of the initiator", made("initiator", { static: masked(initiator.node_id) })],
        ["static key of the responder", made("responder", { static: masked(responder.node_id) })],
      ];
    }),
  );
  book.refuses(
    34,
    "static-of-another",
    "a static key whose private half the sender does not have",
    each((one, suite) => {
      const victim = hex(publicKey(staticSecret(unhex(sample("victim node seed", 32)))));
      return [
        [
          "in AUTH_PROOF",
          proofs(
            one,
            sending(suite, "initiator", { static: victim }).frames.AUTH_PROOF,
            one.frames.AUTH_PROOF,
          ),
        ],
        [
          "in AUTH_PROOF, the listener's own",
          proofs(
            one,
            sending(suite, "initiator", { static: one.inputs.responder.node_id }).frames.AUTH_PROOF,
            one.frames.AUTH_PROOF,
          ),
        ],
        [
          "in RESPONSE, pinned",
          initiatorOf(
            one,
            [
              at(
                "auth_proof",
                play({
                  suite,
                  responder: {
                    node_seed: sample("impostor", 32),
                    sent_keys: { static: one.inputs.responder.node_id },
                  },
                }).frames.RESPONSE,
              ),
              at("auth_proof", one.frames.RESPONSE),
              at("final", one.frames.FINAL),
            ],
            one.inputs.responder.node_id,
          ),
        ],
      ];
    }),
  );
  return book.rules;
}
