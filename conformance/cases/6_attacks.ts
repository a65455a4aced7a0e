/** SPEC 6.2 and 6.3: handshakes recorded, spliced, sent back and talked down. @module */
import type { JsonObject, Request } from "../protocol.ts";
import type { Fields } from "../twin/messages.ts";
import {
  ACCEPT,
  altered,
  at,
  each,
  initiatorOf,
  list,
  type Play,
  play,
  responderOf,
  TIMES,
} from "./6_scripts.ts";
import { type Rule, RuleBook, sample } from "./rule.ts";

const field = (one: Play, name: keyof Play["frames"], key: string): Fields[string] =>
  one.result.messages[name].fields[key] as Fields[string];

const listening = (one: Play, ...events: JsonObject[]): Request =>
  responderOf(one, [at("response", one.frames.HELLO), ...events]);

export function spliceRules(): Rule[] {
  const book = new RuleBook("6.2");
  book.refuses(
    35,
    "spliced",
    "a message with a part of another handshake that has the same keys and the same session id",
    each((one, suite) => {
      const other = play({ suite, initiator: { alias: sample("another alias", 32) } });
      const mixed = (name: keyof Play["frames"], key: string): string =>
        altered(one, name, { [key]: field(other, name, key) });
      const final = (bad: string): Request =>
        initiatorOf(one, [
          at("auth_proof", one.frames.RESPONSE),
          at("final", bad),
          at("final", one.frames.FINAL),
        ]);
      const response = (bad: string): Request =>
        initiatorOf(one, [
          at("auth_proof", bad),
          at("auth_proof", one.frames.RESPONSE),
          at("final", one.frames.FINAL),
        ]);
      const proof = (bad: string): Request =>
        listening(one, at("auth_proof", bad), at("auth_proof", one.frames.AUTH_PROOF), ACCEPT);
      return [
        [
          "commitment",
          responderOf(one, [
            at("response", mixed("HELLO", "commitment")),
            at("response", one.frames.HELLO),
          ]),
        ],
        ["challenge", response(mixed("RESPONSE", "challenge"))],
        ["the whole RESPONSE", response(other.frames.RESPONSE)],
        ["proof", proof(mixed("AUTH_PROOF", "proof"))],
        ["the whole AUTH_PROOF", proof(other.frames.AUTH_PROOF)],
        ["confirmation", final(mixed("FINAL", "confirmation"))],
        ["the whole FINAL", final(other.frames.FINAL)],
      ];
    }),
  );
  book.refuses(
    36,
    "talked-down",
    "the suite in use is not the one that the lists inside of the encryption lead to",
    each((one, suite) => {
      const other = 3 - suite;
      // As after a RETRY of code 3 that the listener never meant: HELLO names the wish of whoever made the RETRY.
      const led = play({
        suite: other,
        seed: one.inputs.shared_seed,
        seeds: one.inputs.listener_seeds,
        initiatorParameters: { suites: list(suite, other) },
      });
      const both = play({ suite, initiatorParameters: { suites: list(other, suite) } });
      return [
        [
          "the initiator prefers the other suite",
          listening(both, at("auth_proof", both.frames.AUTH_PROOF)),
        ],
        [
          "the same, told by HELLO's order",
          responderOf(led, [
            at("response", led.frames.HELLO),
            at("auth_proof", led.frames.AUTH_PROOF),
          ]),
        ],
        [
          "the responder says that it has only the other suite",
          initiatorOf(one, [
            at(
              "auth_proof",
              play({ suite, responderParameters: { suites: list(other) } }).frames.RESPONSE,
            ),
          ]),
        ],
        [
          "the responder says that another suite is in use",
          initiatorOf(one, [
            at(
              "auth_proof",
              play({ suite, responderParameters: { suite: { int: String(other) } } }).frames
                .RESPONSE,
            ),
          ]),
        ],
        [
          "the responder says that another version is in use",
          initiatorOf(one, [
            at(
              "auth_proof",
              play({ suite, responderParameters: { version: { int: "2" } } }).frames.RESPONSE,
            ),
          ]),
        ],
        [
          "the initiator says that version 0 is in use",
          listening(
            one,
            at(
              "auth_proof",
              play({ suite, initiatorParameters: { version: { int: "0" } } }).frames.AUTH_PROOF,
            ),
          ),
        ],
        [
          "versions of the initiator without the one in use",
          listening(
            one,
            at(
              "auth_proof",
              play({ suite, initiatorParameters: { versions: list(0) } }).frames.AUTH_PROOF,
            ),
          ),
        ],
      ];
    }),
  );
  return book.rules;
}

export function replayRules(): Rule[] {
  const book = new RuleBook("6.3");
  book.refuses(
    7,
    "replayed",
    "a recorded handshake opens nothing where the other side's ephemeral key is fresh",
    each((one, suite) => {
      const listener = play({ suite, responder: { ephemeral_private: sample("fresh", 32) } });
      const dialler = play({ suite, initiator: { ephemeral_private: sample("fresh", 32) } });
      const rename = (name: "AUTH_PROOF" | "FINAL", to: Play): string =>
        altered(one, name, { session_id: field(to, name, "session_id") });
      return [
        [
          "HELLO and AUTH_PROOF",
          listening(
            listener,
            at("auth_proof", one.frames.AUTH_PROOF),
            at("auth_proof", listener.frames.AUTH_PROOF),
            ACCEPT,
          ),
        ],
        [
          "HELLO and AUTH_PROOF under the new session id",
          listening(
            listener,
            at("auth_proof", rename("AUTH_PROOF", listener)),
            at("auth_proof", listener.frames.AUTH_PROOF),
            ACCEPT,
          ),
        ],
        [
          "RESPONSE and FINAL",
          initiatorOf(dialler, [
            at("auth_proof", one.frames.RESPONSE),
            at("final", one.frames.FINAL),
            at("final", dialler.frames.RESPONSE),
          ]),
        ],
        [
          "RESPONSE under the new session id",
          initiatorOf(dialler, [
            at(
              "auth_proof",
              altered(one, "RESPONSE", { session_id: field(dialler, "RESPONSE", "session_id") }),
            ),
            at("auth_proof", dialler.frames.RESPONSE),
          ]),
        ],
        [
          "FINAL under the new session id",
          initiatorOf(dialler, [
            at("auth_proof", dialler.frames.RESPONSE),
            at("final", rename("FINAL", dialler)),
            at("final", dialler.frames.FINAL),
          ]),
        ],
      ];
    }),
  );
  book.refuses(
    8,
    "reflected",
    "what a side sent itself is no answer",
    each((one) => {
      const { initiator } = one.inputs;
      const [proof] = [one.frames.AUTH_PROOF];
      return [
        [
          "AUTH_PROOF at the initiator",
          initiatorOf(one, [
            at("auth_proof", one.frames.RESPONSE),
            at("final", proof),
            at("final", one.frames.FINAL),
          ]),
        ],
        [
          "RESPONSE with the initiator's own key, which makes session id 0",
          initiatorOf(one, [
            at(
              "auth_proof",
              altered(one, "RESPONSE", {
                nonce: { bytes: initiator.nonce },
                session_id: { bytes: "00".repeat(8) },
              }),
            ),
            at("auth_proof", one.frames.RESPONSE),
          ]),
        ],
      ];
    }),
  );
  book.refuses(
    9,
    "nonce-of-a-session",
    "a HELLO whose handshake is over opens no second one",
    each((one, suite) => {
      const later = play({ suite, times: { hello: "1731000000001" } });
      const again = (hello: string): Request =>
        responderOf(one, [
          at("response", one.frames.HELLO),
          at("auth_proof", one.frames.AUTH_PROOF),
          ACCEPT,
          { receive: hello, at: TIMES.final },
        ], { ephemeral: [one.inputs.responder.ephemeral_private, sample("fresh", 32)] });
      return [
        ["identical", again(one.frames.HELLO)],
        ["another timestamp", again(later.frames.HELLO)],
      ];
    }),
  );
  const collision = (one: Play, suite: number): { taken: string; zero: string } => {
    const hello = (start: string): string =>
      play({
        suite,
        initiator: { sent_keys: { ephemeral: start.slice(0, 16) + sample("rest of a key", 24) } },
      }).frames.HELLO;
    return { taken: hello(one.inputs.initiator.nonce), zero: hello(one.inputs.responder.nonce) };
  };
  const script = (one: Play, ephemeral: readonly string[], events: JsonObject[]): Request =>
    responderOf(one, events, { ephemeral });
  book.accepts(
    10,
    "session-id-collision",
    "a HELLO made so that the session id would be taken, or zero, gets another ephemeral key",
    each((one, suite) => {
      const { taken, zero } = collision(one, suite);
      const first = one.inputs.responder.ephemeral_private;
      const fresh = sample("fresh", 32);
      return [
        [
          "the id of a half-open handshake",
          script(one, [first, first, fresh], [
            at("response", one.frames.HELLO),
            at("response", taken),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ]),
        ],
        [
          "the id of a session",
          script(one, [first, first, fresh], [
            at("response", one.frames.HELLO),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
            { receive: taken, at: TIMES.final },
          ]),
        ],
        ["zero", script(one, [first, fresh], [at("response", zero)])],
      ];
    }),
  );
  book.refuses(
    11,
    "session-id-taken",
    "no two handshakes with one id, and none with id 0, even if no ephemeral key fits",
    each((one, suite) => {
      const { taken, zero } = collision(one, suite);
      const first = one.inputs.responder.ephemeral_private;
      return [
        [
          "the id of a half-open handshake",
          script(one, [first], [
            at("response", one.frames.HELLO),
            at("response", taken),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ]),
        ],
        ["zero", script(one, [first], [at("response", zero)])],
      ];
    }),
  );
  return book.rules;
}
