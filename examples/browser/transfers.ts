/// <reference lib="dom" />
/**
 * Files on their way, each with a line in the list of the page.
 */
import { type FileProgress, type Peer, receiveFiles, sendFile, SttError } from "@seigr/stt/browser";
import { bytesText, make } from "./dom.ts";

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One line: name, bar, what is going on, and a button. */
class Row {
  readonly #bar = make("progress", { max: "1" }) as HTMLProgressElement;
  readonly #detail = make("span", { class: "detail" });
  readonly #action = make("span");
  readonly #name: string;
  readonly #begun = performance.now();
  #last: FileProgress | undefined;
  #frame: number | undefined;

  constructor(list: HTMLElement, name: string, direction: "to" | "from") {
    this.#name = name;
    const title = make("span", { class: "title" }, direction === "to" ? "↑ " : "↓ ", name);
    this.#bar.setAttribute("aria-label", `${direction === "to" ? "sending" : "receiving"} ${name}`);
    this.#bar.value = 0;
    list.prepend(make("li", {}, title, this.#action, this.#bar, this.#detail));
  }

  wait(): void {
    this.#detail.textContent = "waiting";
  }

  /** Chunks come faster than a screen shows. */
  readonly progress = (progress: FileProgress): void => {
    this.#last = progress;
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  };

  #draw(): void {
    if (this.#last === undefined) return;
    const { bytes, size, resumed } = this.#last;
    const rate = (bytes - resumed) / Math.max(1, performance.now() - this.#begun) * 1000;
    if (size !== null && size > 0) this.#bar.value = bytes / size;
    const of = size === null ? "" : ` of ${bytesText(size)}`;
    this.#detail.textContent = `${bytesText(bytes)}${of}, ${bytesText(rate)}/s`;
  }

  cancel(onCancel: () => void): void {
    const label = `Cancel ${this.#name}`;
    const button = make(
      "button",
      { type: "button", class: "quiet", "aria-label": label },
      "Cancel",
    );
    button.addEventListener("click", onCancel);
    this.#action.replaceChildren(button);
  }

  done(bytes: number, sha256: Uint8Array, link?: HTMLElement): void {
    this.#stop();
    const ms = performance.now() - this.#begun;
    const hex = Array.from(sha256, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#bar.value = 1;
    this.#detail.replaceChildren(
      `${bytesText(bytes)}, ${bytesText(bytes / Math.max(1, ms) * 1000)}/s, verified: `,
      make("span", { class: "mono" }, hex.slice(0, 16), "…"),
    );
    this.#detail.title = `SHA-256 ${hex}`;
    this.#detail.dataset["sha256"] = hex;
    this.#action.replaceChildren(...link === undefined ? [] : [link]);
  }

  failed(error: unknown): void {
    this.#stop();
    this.#bar.hidden = true;
    this.#detail.classList.add("failed");
    this.#detail.textContent = reasonOf(error);
    this.#action.replaceChildren();
  }

  #stop(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }
}

/** The transfers of one session. */
export class Transfers {
  readonly #peer: Peer;
  readonly #list: HTMLElement;
  /** One at a time, in the order in which they were dropped. */
  #queue: Promise<void> = Promise.resolve();

  constructor(peer: Peer, list: HTMLElement) {
    this.#peer = peer;
    this.#list = list;
  }

  /** Sends files, one after the other. */
  send(files: Iterable<File>): void {
    for (const source of files) {
      const row = new Row(this.#list, source.name, "to");
      const stop = new AbortController();
      row.wait();
      row.cancel(() => stop.abort(new Error("cancelled")));
      this.#queue = this.#queue.then(async () => {
        try {
          const { signal } = stop;
          const sent = await sendFile(this.#peer, { source, signal, onProgress: row.progress });
          row.done(sent.bytes, sent.sha256);
        } catch (error) {
          row.failed(error);
        }
      });
    }
  }

  /** Takes what the listener offers, until the session ends. */
  async receive(): Promise<void> {
    let row: Row | undefined;
    const files = receiveFiles(this.#peer, {
      accept: ({ name }) => {
        row = new Row(this.#list, name, "from");
        return true;
      },
      onProgress: (progress) => row?.progress(progress),
    });
    try {
      for await (const file of files) {
        if (!file.ok) {
          row?.failed(file.error);
        } else if (file.blob !== null) {
          const href = URL.createObjectURL(file.blob);
          const label = `Save ${file.name}`;
          const link = make(
            "a",
            { class: "save", href, download: file.name, "aria-label": label },
            "Save",
          );
          row?.done(file.bytes, file.sha256, link);
        }
      }
    } catch (error) {
      // What ended the session is told where the session is.
      if (!(error instanceof SttError)) throw error;
    }
  }
}
