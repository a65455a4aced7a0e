/** SPEC 15.1 and 15.2: tickets, handshakes that resume with one, and what attackers try with them. @module */
import type { JsonObject, Request } from "../protocol.ts";
import {
  ACCEPT,
  altered,
  at,
  initiatorOf,
  int,
  type Play,
  play,
  type PlayOptions,
  responderOf,
  SUITES,
  TIMES,
} from "./6_scripts.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const TICKET = { id: sample("ticket id", 16), secret: sample("ticket secret", 32) };
const LATER = "1731000600000";

export function ticketRules(): Rule[] {
  const book = new RuleBook("15.1");
  const exporter = sample("exporter", 32);
  book.accepts(
    1,
    "ticket-keys",
    "id and secret of each ticket of a session",
    [0, 1, 2, 3, 255].map((number) =>
      test(`ticket ${number}`, "ticket.keys", { exporter, number })
    ),
  );
  const mask = { seed: sample("seed", 32), nonce: sample("nonce", 32), ticket_id: TICKET.id };
  book.accepts(2, "mask", "the id under the mask of seed and nonce", [
    test("the id of a ticket", "ticket.mask", mask),
    test("zeros: the mask itself", "ticket.mask", { ...mask, ticket_id: "00".repeat(16) }),
    test("another nonce", "ticket.mask", { ...mask, nonce: sample("another nonce", 32) }),
    test("another seed", "ticket.mask", { ...mask, seed: sample("another seed", 32) }),
  ]);
  book.accepts(3, "psk", "the second psk of a resumption", [
    test("the seed's psk", "ticket.psk", { secret: TICKET.secret, psk: sample("psk", 32) }),
    test("a pair key", "ticket.psk", { secret: TICKET.secret, psk: sample("pair key", 32) }),
  ]);
  return book.rules;
}

/** What the responder keeps for the initiator of a play. */
function kept(one: Play, changes: JsonObject = {}): JsonObject {
  return {
    ...TICKET,
    node_id: one.inputs.initiator.node_id,
    seed: one.inputs.shared_seed,
    expires: LATER,
    ...changes,
  };
}

function listening(one: Play, events: readonly JsonObject[], tickets: JsonObject[]): Request {
  return { ...responderOf(one, events), tickets };
}

function dialling(one: Play, events: readonly JsonObject[], changes: JsonObject = {}): Request {
  const ticket = { ...TICKET, node_id: one.inputs.responder.node_id, ...changes };
  return { ...initiatorOf(one, events), ticket };
}

function each(
  make: (one: Play, suite: number, resume: (more?: Partial<PlayOptions>) => Play) => [
    string,
    Request,
  ][],
): RuleTest[] {
  return SUITES.flatMap((suite) => {
    const resume = (more: Partial<PlayOptions> = {}): Play =>
      play({ suite, ticket: TICKET, ...more });
    return make(resume(), suite, resume).map(([comment, request]) => ({
      comment: `suite ${suite}: ${comment}`,
      request,
    }));
  });
}

const through = (one: Play): JsonObject[] => [
  at("response", one.frames.HELLO),
  at("auth_proof", one.frames.AUTH_PROOF),
  ACCEPT,
];
const proved = (one: Play): JsonObject[] => through(one).slice(0, 2);
const answered = (one: Play): JsonObject[] => [
  at("auth_proof", one.frames.RESPONSE),
  at("final", one.frames.FINAL),
];

export function resumptionRules(): Rule[] {
  const book = new RuleBook("15.2");
  resumed(book);
  fallenBack(book);
  usedUp(book);
  foreign(book);
  forged(book);
  return book.rules;
}

function resumed(book: RuleBook): void {
  book.accepts(
    1,
    "resumed",
    "a handshake that resumes with a ticket",
    each((one, _suite, resume) => {
      const pair = resume({ pairKey: sample("pair key", 32) });
      return [
        ["the initiator's side", dialling(one, answered(one))],
        ["the responder's side", listening(one, through(one), [kept(one)])],
        ["with a pair key, the initiator's side", dialling(pair, answered(pair))],
        ["with a pair key, the responder's side", listening(pair, through(pair), [kept(pair)])],
        [
          "HELLO comes twice",
          listening(one, [at("response", one.frames.HELLO), ...through(one)], [kept(one)]),
        ],
        [
          "one of two tickets",
          listening(one, through(one), [
            kept(one, { id: sample("another id", 16), secret: sample("another secret", 32) }),
            kept(one),
          ]),
        ],
      ];
    }),
  );
}

function fallenBack(book: RuleBook): void {
  book.accepts(
    2,
    "not-resumed",
    "a responder that does not take the ticket goes on without it",
    each((_, __, resume) => {
      const plain = resume({ resumed: false });
      const late = kept(plain, { expires: TIMES.response });
      return [
        ["a ticket that it does not know", listening(plain, through(plain), [])],
        [
          "a ticket of another seed",
          listening(plain, through(plain), [kept(plain, { seed: sample("another seed", 32) })]),
        ],
        ["an expired ticket", listening(plain, through(plain), [late])],
        [
          "a ticket from a time that has not come",
          listening(plain, through(plain), [kept(plain, { expires: "1831000000000" })]),
        ],
        [
          "an initiator that can do without",
          dialling(plain, answered(plain), { required: false }),
        ],
      ];
    }),
  );
  book.refuses(
    3,
    "ticket-required",
    "an initiator that cannot do without its ticket ends before AUTH_PROOF",
    each((_, __, resume) => {
      const plain = resume({ resumed: false });
      return [["the responder goes on without it", dialling(plain, answered(plain))]];
    }),
  );
}

function usedUp(book: RuleBook): void {
  book.refuses(
    4,
    "used",
    "a ticket resumes once",
    each((one, _suite, resume) => {
      const ephemerals = [one.inputs.responder.ephemeral_private, sample("fresh", 32)];
      const second = resume({
        initiator: { ephemeral_private: sample("second ephemeral", 32) },
        responder: { ephemeral_private: ephemerals[1] as string },
      });
      const race = (events: JsonObject[]): Request => ({
        ...listening(one, events, [kept(one)]),
        ephemeral: ephemerals,
      });
      return [
        [
          "two handshakes with it at once",
          race([
            at("response", one.frames.HELLO),
            at("response", second.frames.HELLO),
            at("auth_proof", one.frames.AUTH_PROOF),
            at("auth_proof", second.frames.AUTH_PROOF),
            ACCEPT,
          ]),
        ],
        [
          "a second handshake behind the first: its AUTH_PROOF is of another session",
          race([
            ...through(one),
            at("final", second.frames.HELLO),
            at("final", second.frames.AUTH_PROOF),
          ]),
        ],
        [
          "a HELLO and AUTH_PROOF that were recorded",
          race([...through(one), at("final", one.frames.HELLO)]),
        ],
      ];
    }),
  );
  book.refuses(
    5,
    "expired",
    "a ticket that expires between HELLO and AUTH_PROOF resumes nothing",
    each((one) => [
      ["by then", listening(one, proved(one), [kept(one, { expires: TIMES.auth_proof })])],
    ]),
  );
}

function foreign(book: RuleBook): void {
  book.refuses(
    6,
    "another-node",
    "a ticket in the hands of another node, which has its secret",
    each((one, _suite, resume) => {
      const fresh = sample("fresh", 32);
      const thief = resume({
        initiator: {
          node_seed: sample("a thief's node seed", 32),
          ephemeral_private: sample("second ephemeral", 32),
        },
        responder: { ephemeral_private: fresh },
      });
      const theft = listening(one, [
        at("response", one.frames.HELLO),
        at("response", thief.frames.HELLO),
        at("auth_proof", thief.frames.AUTH_PROOF),
        at("auth_proof", one.frames.AUTH_PROOF),
      ], [kept(one)]);
      return [[
        "the initiator is not whom it was given to, and uses it up",
        { ...theft, ephemeral: [one.inputs.responder.ephemeral_private, fresh] },
      ], [
        "the responder is not who gave it",
        dialling(one, answered(one), { node_id: sample("another node", 32) }),
      ], [
        "the responder is not who gave it, and does not take it",
        dialling(one, answered(one), { node_id: sample("another node", 32), required: false }),
      ]];
    }),
  );
  book.refuses(
    7,
    "wrong-secret",
    "who names a ticket without its secret is not taken for its node",
    each((one, _suite, resume) => {
      const guess = resume({ ticket: { ...TICKET, secret: sample("a guess", 32) } });
      const plain = resume({ resumed: false });
      return [
        [
          "a guess, behind which the genuine one is still taken",
          listening(one, [
            at("response", one.frames.HELLO),
            at("auth_proof", guess.frames.AUTH_PROOF),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ], [kept(one)]),
        ],
        [
          "the seed's psk in place of the ticket's",
          listening(one, [
            at("response", one.frames.HELLO),
            at("auth_proof", plain.frames.AUTH_PROOF),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ], [kept(one)]),
        ],
        ["a responder that guesses", dialling(guess, answered(guess))],
      ];
    }),
  );
}

function forged(book: RuleBook): void {
  book.refuses(
    8,
    "changed-on-the-way",
    "a ticket that was put into, taken from, or changed in a HELLO on its way",
    each((one, suite, resume) => {
      const ticket = (one.result.messages.HELLO.fields.ticket as { bytes: string }).bytes;
      const { ticket: _, ...stripped } = one.result.messages.HELLO.fields;
      const bare = play({ suite });
      const hello = (frame: string): Request =>
        listening(one, [at("response", frame), ...through(one)], [kept(one)]);
      const without: Play = {
        ...one,
        result: {
          ...one.result,
          messages: {
            ...one.result.messages,
            HELLO: { ...one.result.messages.HELLO, fields: stripped },
          },
        },
      };
      return [
        ["taken out", hello(altered(without, "HELLO", {}))],
        ["a bit flipped", hello(altered(one, "HELLO", { ticket: { bytes: flip(ticket, 3) } }))],
        ["cut short", hello(altered(one, "HELLO", { ticket: { bytes: ticket.slice(2) } }))],
        ["no bytes", hello(altered(one, "HELLO", { ticket: int(1) }))],
        ["the capability taken out", hello(altered(one, "HELLO", { capabilities: int(3) }))],
        [
          "put into another HELLO of the node",
          listening(bare, [
            at("response", altered(bare, "HELLO", { ticket: { bytes: ticket } })),
            ...through(bare),
          ], [kept(one)]),
        ],
        [
          "RESPONSE of a handshake without it",
          dialling(one, [at("auth_proof", bare.frames.RESPONSE), ...answered(one)]),
        ],
        [
          "AUTH_PROOF of a handshake without it",
          listening(one, [
            at("response", one.frames.HELLO),
            at("auth_proof", bare.frames.AUTH_PROOF),
            at("auth_proof", one.frames.AUTH_PROOF),
            ACCEPT,
          ], [kept(one)]),
        ],
        [
          "another seed's",
          dialling(
            resume({ seed: sample("another seed", 32), resumed: false }),
            answered(resume({ seed: sample("another seed", 32), resumed: false })),
          ),
        ],
      ];
    }),
  );
  book.refuses(
    9,
    "resumed-without",
    "a RESPONSE that resumes what nobody asked for",
    each((one, suite) => {
      const parameters = { resumed: { bool: true } };
      const unasked = play({ suite, responderParameters: parameters });
      const wrong = play({ suite, responderParameters: { resumed: int(1) } });
      return [
        ["without a ticket", initiatorOf(unasked, answered(unasked))],
        ["resumed is no bool", initiatorOf(wrong, answered(wrong))],
        [
          "resumed of the initiator is no bool",
          responderOf(
            play({ suite, initiatorParameters: { resumed: int(0) } }),
            proved(play({ suite, initiatorParameters: { resumed: int(0) } })),
          ),
        ],
        ["a ticket that nobody named", initiatorOf(one, answered(one))],
      ];
    }),
  );
}
