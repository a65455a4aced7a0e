/**
 * Making and opening chambers.
 *
 * @module
 */
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { CHAMBER_HEADER_KEY, ChamberCipher } from "../sealed/chamber_cipher.ts";
import { ChamberBody } from "./chamber_body.ts";
import type { StorageProvider } from "./provider.ts";
import { newStoreKey, openStoreKey, type StoreKey, type StoreOwner } from "./store_key.ts";
import type { StoreSecret } from "./store_secret.ts";

/** A chamber that was opened or made. */
export interface OpenedChamber {
  readonly key: StoreKey;
  readonly cipher: ChamberCipher;
  readonly body: ChamberBody;
}

/** The header comes last: until it is there, there is no chamber. */
export async function createChamber(
  provider: StorageProvider,
  owner: StoreOwner,
  secret: StoreSecret,
): Promise<OpenedChamber> {
  const key = await newStoreKey(owner, secret);
  return await withCipher(owner, key, async (cipher) => {
    const body = await ChamberBody.write(provider, cipher);
    await provider.put(CHAMBER_HEADER_KEY, key.header);
    return body;
  });
}

/** @throws {SttError} STORAGE_KEY, STORAGE_CORRUPT. */
export async function loadChamber(
  provider: StorageProvider,
  owner: StoreOwner,
  secret: StoreSecret,
  header: Uint8Array,
): Promise<OpenedChamber> {
  const key = await openStoreKey(owner, secret, header);
  return await withCipher(owner, key, (cipher) => ChamberBody.load(provider, cipher));
}

async function withCipher(
  owner: StoreOwner,
  key: StoreKey,
  act: (cipher: ChamberCipher) => Promise<ChamberBody>,
): Promise<OpenedChamber> {
  const cipher = new ChamberCipher(owner.crypto, key.master, key.id, owner.node);
  wipe(key.master);
  try {
    return { key, cipher, body: await act(cipher) };
  } catch (error) {
    cipher.destroy();
    throw error;
  }
}

/** @throws {SttError} STORAGE_ROLLBACK below the minimum. */
export function refuseOlder(generation: number, minimum: number | undefined): void {
  if (minimum === undefined || generation >= minimum) return;
  throw new SttError(
    "STORAGE_ROLLBACK",
    `cannot open chamber: its generation ${generation} is below ${minimum}`,
    { limit: minimum },
  );
}
