/**
 * What the application's commands on a stream have in common: which streams take them, and what follows.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import type { Stream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";

/** @throws {SttError} what the set was destroyed with */
export function checkAlive(table: StreamTable): void {
  if (table.destroyed !== undefined) throw table.destroyed;
}

/** @throws {SttError} `STREAM_CLOSED` for an id without state, or one that only records have named */
export function existingStream(table: StreamTable, id: number): Stream {
  checkAlive(table);
  const stream = table.streams.get(id);
  if (stream === undefined || !stream.announced) {
    throw new SttError("STREAM_CLOSED", `cannot use stream ${id}: it is not open`);
  }
  return stream;
}

/** @throws {SttError} `STREAM_CLOSED` after finish or reset, `STREAM_STOPPED` (wire: the peer's code) */
export function writableStream(table: StreamTable, id: number): Stream {
  const stream = existingStream(table, id);
  if (stream.send.isOpen) return stream;
  const code = stream.stoppedCode;
  if (code === undefined) {
    throw new SttError("STREAM_CLOSED", `cannot write to stream ${id}: this side ended it`);
  }
  throw new SttError(
    "STREAM_STOPPED",
    `cannot write to stream ${id}: the peer stopped it with code ${code}`,
    { wire: code, remote: true },
  );
}

/** After a write: what it returns, which is false while `sendBuffer` or more bytes wait to be sent. */
export function afterWrite(table: StreamTable, stream: Stream): boolean {
  table.scheduler.add(stream.fresh);
  table.settle(stream);
  table.config.written?.(stream.id, stream.send.written);
  if (stream.send.unsent < table.sendBuffer) return true;
  stream.writableWanted = true;
  return false;
}

/** After a read that gave `item`: credit may be due to the peer. */
export function afterRead<T>(
  table: StreamTable,
  stream: Stream,
  item: T | null | undefined,
): T | null | undefined {
  if (item === undefined) stream.readableAnnounced = false;
  else if (item !== null) {
    if (stream.recv.creditDue) table.control.add(stream);
    table.settle(stream);
  }
  return item;
}
