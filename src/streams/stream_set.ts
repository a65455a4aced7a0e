/**
 * All streams of one session.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import type {
  ChunkRef,
  StreamChunk,
  StreamEvent,
  StreamInfo,
  StreamLimits,
  StreamRecord,
  StreamSegment,
  StreamSetConfig,
  StreamStats,
} from "./types.ts";

function absent(): SttError {
  return new SttError("INTERNAL", "cannot use streams: the class is being built");
}

export class StreamSet {
  constructor(_config: StreamSetConfig) {}

  /** Known after RESPONSE / AUTH_PROOF; before that `open` returns undefined and nothing is sent. */
  setPeerLimits(_limits: StreamLimits): void {
    throw absent();
  }
  setRtt(_rttMs: number): void {
    throw absent();
  }

  // Application.
  open(_kind: number, _priority?: number): number | undefined {
    throw absent();
  }
  has(_id: number): boolean {
    throw absent();
  }
  kindOf(_id: number): number | undefined {
    throw absent();
  }
  info(_id: number): StreamInfo | undefined {
    throw absent();
  }
  write(_id: number, _chunk: Uint8Array): boolean {
    throw absent();
  }
  writeMessage(_id: number, _message: Uint8Array): boolean {
    throw absent();
  }
  finish(_id: number): void {
    throw absent();
  }
  reset(_id: number, _code: number): void {
    throw absent();
  }
  stop(_id: number, _code: number): void {
    throw absent();
  }
  setPriority(_id: number, _priority: number): void {
    throw absent();
  }
  bufferedBytes(_id: number): number {
    throw absent();
  }
  canWrite(_id: number): boolean {
    throw absent();
  }
  read(_id: number, _maxBytes?: number): Uint8Array | null | undefined {
    throw absent();
  }
  readMessage(_id: number): Uint8Array | null | undefined {
    throw absent();
  }
  readSegment(_id: number): StreamSegment | null | undefined {
    throw absent();
  }

  // From the wire; each throws SttError with a wire code that closes the session.
  onData(
    _id: number,
    _flags: number,
    _kind: number,
    _offset: number,
    _data: Uint8Array,
    _nowMs: number,
  ): void {
    throw absent();
  }
  onReset(_id: number, _code: number, _finalSize: number, _nowMs: number): void {
    throw absent();
  }
  onStop(_id: number, _code: number): void {
    throw absent();
  }
  onFlowCredit(_stream: number, _limit: number): void {
    throw absent();
  }
  onStreamsLimit(_count: number): void {
    throw absent();
  }
  onBlocked(_stream: number, _limit: number): void {
    throw absent();
  }
  onGap(_id: number, _offset: number, _length: number): void {
    throw absent();
  }

  // To the wire.
  hasControl(): boolean {
    throw absent();
  }
  /** `room` in bytes of records. Credit windows grow by the clock value given here. */
  nextControl(_room: number, _nowMs: number): StreamRecord | undefined {
    throw absent();
  }
  hasData(): boolean {
    throw absent();
  }
  /**
   * `room`: bytes for kind, offset and data in this frame. `fullRoom`: the same of an otherwise empty
   * packet (default `room`); an unordered message that fits it is not split to fit `room`, and then
   * the answer may be false although `hasData()` is true: send the packet and ask again.
   */
  nextData(_room: number, _into: StreamChunk, _fullRoom?: number): boolean {
    throw absent();
  }
  onAcked(_chunk: ChunkRef): void {
    throw absent();
  }
  onLost(_chunk: ChunkRef): void {
    throw absent();
  }
  onControlAcked(_record: StreamRecord): void {
    throw absent();
  }
  onControlLost(_record: StreamRecord): void {
    throw absent();
  }

  nextEvent(): StreamEvent | undefined {
    throw absent();
  }
  stats(): StreamStats {
    throw absent();
  }
  /** True when nothing waits to be sent (unreliable: nor to be acknowledged). */
  isIdle(): boolean {
    throw absent();
  }
  /** Drops all buffers; every command throws `error` from now on. */
  destroy(_error: SttError): void {
    throw absent();
  }
}
