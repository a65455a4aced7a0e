/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page: connects to the listener that served it, and shows what comes of it.
 */
import {
  connect,
  FILES_APP,
  parseSeed,
  type Peer,
  seedFromPassphrase,
  SttError,
} from "@seigr/stt/browser";
import { Chat, type ChatLine } from "./chat.ts";
import { byId, bytesText, draw, make, msText } from "./dom.ts";
import { type HandshakeMessage, watchedTransport } from "./handshake.ts";
import { Live } from "./live.ts";
import { Transfers } from "./transfers.ts";

const MEANINGS: Readonly<Record<string, string>> = {
  HELLO: "this page asks, and proves that it has the seed",
  RETRY: "the listener asks for another HELLO",
  RESPONSE: "the listener proves the seed and its identity",
  AUTH_PROOF: "this page proves its identity",
  FINAL: "the listener confirms: both have the same keys",
};
const SUITES: Readonly<Record<number, string>> = {
  1: "X25519, ChaCha20-Poly1305, SHA-256",
  2: "X25519, AES-256-GCM, SHA-256",
};

const main = document.querySelector("main");
const form = byId("connect", HTMLFormElement);
const dial = byId("dial", HTMLButtonElement);
const leave = byId("leave", HTMLButtonElement);
const failure = byId("connect-error", HTMLElement);
const status = byId("status", HTMLElement);
const ladder = byId("handshake", HTMLElement);
const identity = byId("identity", HTMLElement);
const lines = byId("lines", HTMLElement);
const say = byId("say", HTMLFormElement);
const line = byId("line", HTMLInputElement);
const sendLine = byId("send-line", HTMLButtonElement);
const picker = byId("files", HTMLInputElement);
const drop = byId("drop", HTMLElement);
const live = new Live();

let chat: Chat | undefined;
let transfers: Transfers | undefined;
let session: Peer | undefined;

function input(id: string): HTMLInputElement {
  return byId(id, HTMLInputElement);
}

function showStatus(state: "idle" | "busy" | "open" | "failed", text: string): void {
  status.dataset["state"] = state;
  status.textContent = text;
}

// ---- the secret ----

/** `#seed=…&expect=…&name=…`: browsers do not send what stands behind #. It does not stay in the address. */
function takeFragment(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const id of ["seed", "expect", "name"]) {
    const value = given.get(id);
    if (value !== null) input(id).value = value;
  }
  byId("more", HTMLDetailsElement).open = given.has("expect");
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
}

function secretKind(): string {
  return String(new FormData(form).get("kind"));
}

function showSecretFields(): void {
  byId("seed-fields", HTMLElement).hidden = secretKind() !== "seed";
  byId("passphrase-fields", HTMLElement).hidden = secretKind() !== "passphrase";
}

async function seedOfForm(): Promise<Uint8Array> {
  if (secretKind() === "seed") return parseSeed(input("seed").value.trim());
  showStatus("busy", "Making the seed of the passphrase…");
  return await seedFromPassphrase(input("passphrase").value, input("network").value.trim());
}

// ---- the session ----

/** The listener is where the page came from: `https:` means `wss:`. */
function listenerAddress(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${location.pathname}`;
}

function wordsFor(error: unknown): string {
  switch (error instanceof SttError ? error.code : undefined) {
    case "HANDSHAKE_TIMEOUT":
      return "The listener does not answer to this secret: it has another one.";
    case "PEER_IDENTITY":
      return "The listener has the seed, but another node id than the one that it must have.";
    case "TRANSPORT":
      return "The listener cannot be reached.";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

async function open(): Promise<void> {
  dial.disabled = true;
  failure.hidden = true;
  ladder.replaceChildren();
  identity.hidden = true;
  const begun = performance.now();
  try {
    const seed = await seedOfForm();
    showStatus("busy", "Connecting…");
    byId("handshake-empty", HTMLElement).hidden = true;
    const expect = input("expect").value.trim();
    const peer = await connect(listenerAddress(), {
      seed,
      app: FILES_APP,
      transports: [watchedTransport(showHandshakeMessage)],
      ...(expect === "" ? {} : { expect }),
    });
    seed.fill(0);
    for (const id of ["seed", "passphrase"]) input(id).value = "";
    await begin(peer, performance.now() - begun);
  } catch (error) {
    failure.textContent = wordsFor(error);
    failure.hidden = false;
    showStatus("failed", "Not connected");
    dial.disabled = false;
    if (!(error instanceof SttError)) throw error;
  }
}

async function begin(peer: Peer, ms: number): Promise<void> {
  showStatus("open", `Connected in ${msText(ms)}`);
  byId("connect-card", HTMLElement).hidden = true;
  main?.classList.add("connected");
  leave.hidden = false;
  session = peer;
  showIdentity(peer);
  live.start(peer);
  void peer.closed.then(({ error, reason }) => {
    end(error === undefined ? `Closed${reason === "" ? "" : `: ${reason}`}` : error.message);
  });
  transfers = new Transfers(peer, byId("transfers", HTMLElement));
  void transfers.receive();
  chat = await Chat.join(peer, input("name").value.trim(), showLine);
  for (const field of [line, sendLine, picker]) field.disabled = false;
  line.focus({ preventScroll: true });
}

function end(text: string): void {
  showStatus("idle", text);
  chat = undefined;
  transfers = undefined;
  session = undefined;
  live.stop();
  for (const field of [line, sendLine, picker]) field.disabled = true;
  byId("connect-card", HTMLElement).hidden = false;
  main?.classList.remove("connected");
  leave.hidden = true;
  dial.disabled = false;
}

// ---- handshake ----

function arrow(sent: boolean): SVGElement {
  const points = sent ? "M0 5H396M390 1l6 4-6 4" : "M4 5H400M10 1 4 5l6 4";
  return draw(
    "svg",
    { class: "arrow", viewBox: "0 0 400 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    draw("path", { d: points, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }),
  );
}

function showHandshakeMessage({ sent, name, bytes, atMs }: HandshakeMessage): void {
  const direction = make("span", { class: "unseen" }, sent ? "sent: " : "received: ");
  const middle = make(
    "span",
    {},
    direction,
    make("strong", {}, name),
    make("span", { class: "what" }, MEANINGS[name] ?? ""),
    arrow(sent),
  );
  ladder.append(make(
    "li",
    { class: sent ? "sent" : "received" },
    make("span", { class: "at" }, msText(atMs)),
    middle,
    make("span", { class: "size" }, bytesText(bytes)),
  ));
}

function showIdentity(peer: Peer): void {
  const { id, pinned, suite } = peer.info;
  const verdict = pinned
    ? make("span", { class: "good" }, "the node that it must be")
    : make("span", {}, "a node that has the seed; no node id was asked for");
  const facts: [string, Node | string][] = [
    ["Node id", make("span", { class: "mono" }, id)],
    ["Verified", verdict],
    ["Suite", SUITES[suite] ?? String(suite)],
  ];
  identity.replaceChildren(
    ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
  );
  identity.hidden = false;
}

// ---- chat ----

function showLine({ from, text }: ChatLine, own = false): void {
  const entry = from === ""
    ? make("li", { class: "notice-line" }, text)
    : make("li", own ? { class: "own" } : {}, make("span", { class: "from" }, from), text);
  const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
  lines.append(entry);
  while (lines.childElementCount > 1000) lines.firstElementChild?.remove();
  if (atEnd || own) lines.scrollTop = lines.scrollHeight;
}

async function sayLine(): Promise<void> {
  const text = line.value.trim();
  if (text === "" || chat === undefined) return;
  line.value = "";
  try {
    if (await chat.say(text)) showLine({ from: "you", text }, true);
    else showLine({ from: "", text: "not sent: longer than a line may be" });
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    showLine({ from: "", text: `not sent: ${error.message}` });
  }
}

// ---- events ----

takeFragment();
showSecretFields();
form.addEventListener("change", showSecretFields);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void open();
});
say.addEventListener("submit", (event) => {
  event.preventDefault();
  void sayLine();
});
leave.addEventListener("click", () => void session?.close());
// A page that is left takes no leave by itself, and the listener would take that for a failure.
addEventListener("pagehide", () => session?.abort());
picker.addEventListener("change", () => {
  transfers?.send([...picker.files ?? []]);
  picker.value = "";
});
// The whole page takes drops: a file beside the field would replace the page.
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.toggle("over", transfers !== undefined);
});
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  transfers?.send([...event.dataTransfer?.files ?? []]);
});
