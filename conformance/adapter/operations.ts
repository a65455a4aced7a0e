/** All operations of the adapter, as one function from request to answer. @module */
import type { CryptoProvider } from "../../src/crypto/mod.ts";
import { SttError } from "../../src/errors.ts";
import type { Answer, JsonObject, Request } from "../protocol.ts";
import { CODEC_OPS } from "./codec_ops.ts";
import { CONTINUITY_OPS } from "./continuity_ops.ts";
import { cryptoOps } from "./crypto_ops.ts";
import { FOLDER_OPS } from "./folder_ops.ts";
import { handshakeOps } from "./handshake_ops.ts";
import { REQUEST_OPS } from "./request_ops.ts";
import { sessionOps } from "./session_ops.ts";
import { storageOps } from "./storage_ops.ts";
import { TOPIC_OPS } from "./topic_ops.ts";
import { type Operation, RefusedOperation, UnsupportedOperation } from "./notation.ts";

/**
 * Answers requests with `src/` over `provider`. What `src/` throws on purpose is an error answer; anything else is a
 * bug of `src/` and goes through, so that it ends the program like any crash.
 */
export function answerer(provider: CryptoProvider): (request: Request) => Promise<Answer> {
  const operations: Readonly<Record<string, Operation>> = {
    ...CODEC_OPS,
    ...cryptoOps(provider),
    ...handshakeOps(provider),
    ...sessionOps(provider),
    ...storageOps(provider),
    ...CONTINUITY_OPS,
    ...REQUEST_OPS,
    ...FOLDER_OPS,
    ...TOPIC_OPS,
  };
  return async (request) => {
    const operation = operations[request.op];
    if (operation === undefined) return { unsupported: true };
    try {
      return { ok: await operation(request) as JsonObject };
    } catch (error) {
      if (error instanceof UnsupportedOperation) return { unsupported: true };
      if (error instanceof RefusedOperation) return { error: error.code };
      if (error instanceof SttError) return { error: error.code, message: error.message };
      throw error;
    }
  };
}
