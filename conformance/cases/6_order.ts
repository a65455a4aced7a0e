/** SPEC 6.3: messages again, out of place, or of another handshake. @module */
import type { JsonObject, Request } from "../protocol.ts";
import {
  ACCEPT,
  altered,
  at,
  each,
  initiatorOf,
  int,
  type Play,
  play,
  responderOf,
  TIMES,
} from "./6_scripts.ts";
import { type Rule, RuleBook, sample } from "./rule.ts";

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
