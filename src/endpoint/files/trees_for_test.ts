/**
 * Folders that are sent between two peers of a test.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { withFolder } from "./folder_for_test.ts";
import {
  receiveTransfers,
  type ReceiveTransfersOptions,
  type TransferOutcome,
} from "./receive_transfers.ts";
import { sendFolder, type SendFolderOptions, type SentFolder } from "./send_folder.ts";
import { withSession } from "./session_for_test.ts";

export type Tree = Readonly<Record<string, string | Uint8Array | null>>;

/** Files by path; null is an empty folder. */
export async function plant(root: string, tree: Tree): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const full = join(root, path);
    await mkdir(content === null ? full : dirname(full), { recursive: true });
    if (content !== null) await writeFile(full, content);
  }
}

export async function harvest(root: string): Promise<Record<string, string | null>> {
  const tree: Record<string, string | null> = {};
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(join(root, path), { withFileTypes: true });
    if (entries.length === 0 && path !== "") tree[path] = null;
    for (const entry of entries) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) await walk(inner);
      else tree[inner] = await readFile(join(root, inner), "latin1");
    }
  };
  await walk("");
  return tree;
}

export interface Both {
  readonly sent: SentFolder | SttError;
  readonly received: TransferOutcome;
}

export async function transfer(
  sender: Peer,
  receiver: Peer,
  send: SendFolderOptions,
  receive: ReceiveTransfersOptions,
): Promise<Both> {
  const [sent, step] = await Promise.all([
    sendFolder(sender, send).catch((error: unknown) => {
      assert(error instanceof SttError, String(error));
      return error;
    }),
    receiveTransfers(receiver, receive).next(),
  ]);
  assert(step.value !== undefined);
  return { sent, received: step.value };
}

export interface Scene {
  readonly source: string;
  readonly inbox: string;
  run(send?: Partial<SendFolderOptions>, receive?: Partial<ReceiveTransfersOptions>): Promise<Both>;
}

export async function withScene(tree: Tree, act: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const source = join(folder, "photos");
    const inbox = join(folder, "inbox");
    await plant(source, tree);
    await mkdir(inbox);
    await withSession(async (sender, receiver) => {
      await act({
        source,
        inbox,
        run: (send = {}, receive = {}) =>
          transfer(sender, receiver, { path: source, ...send }, { directory: inbox, ...receive }),
      });
    });
  });
}

export function sentOf({ sent }: Both): SentFolder {
  assert(!(sent instanceof SttError), sent instanceof SttError ? sent.message : "");
  return sent;
}

export function receivedOf({ received }: Both): Extract<TransferOutcome, { mode: "folder" }> {
  assert(received.ok && received.mode === "folder", received.ok ? "" : received.error.message);
  return received;
}
