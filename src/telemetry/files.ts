/**
 * Traces and keys of sessions in files.
 *
 * @module
 */
import { qlogTracer } from "../observe/qlog.ts";
import type { QlogOptions } from "../observe/qlog.ts";
import type { TracerFactory } from "../observe/tracer.ts";
import type { SttError } from "../errors.ts";
import type { KeyLog } from "../session/key_log.ts";
import { FileSink } from "./file_sink.ts";

/** Options of {@link qlogFile} and {@link keyLogFile}. */
export interface TraceFileOptions {
  /** Hears once why no more is written, as a full disk; it must not throw. Default: only `failure` tells. */
  readonly onFailure?: (error: SttError) => void;
}

/** A qlog file that is being written. */
export interface QlogFile {
  /** What the option `tracer` of `connect` and `listen` takes. */
  readonly tracer: TracerFactory;
  /** Why no more is written, once that is so. */
  readonly failure: SttError | undefined;
  /** Writes what waits and closes the file. */
  close(): void;
}

/** A key log file that is being written. */
export interface KeyLogFile {
  /** What the option `keyLog` of `connect` and `listen` takes. */
  readonly keyLog: KeyLog;
  /** Why no more is written, once that is so. */
  readonly failure: SttError | undefined;
  /** Closes the file. */
  close(): void;
}

/**
 * Starts a qlog file, mode 0600, usually named `NAME.sqlog`. What it held is gone. Records are written in heaps, at the latest
 * after 200 ms, on `close`, and when the process ends in order.
 *
 * @throws {SttError} `FILE_IO` when it cannot be opened.
 */
export function qlogFile(path: string, options: QlogOptions & TraceFileOptions = {}): QlogFile {
  const { onFailure } = options;
  const sink = new FileSink(path, { append: false, immediate: false, onFailure });
  return {
    tracer: qlogTracer((record) => sink.write(record), options),
    get failure() {
      return sink.failure;
    },
    close: () => sink.close(),
  };
}

/**
 * Appends keys of sessions to a file, mode 0600, each line at once.
 *
 * DANGER: whoever reads this file reads everything that the sessions send. See docs/observability.md.
 *
 * @throws {SttError} `FILE_IO` when it cannot be opened.
 */
export function keyLogFile(path: string, { onFailure }: TraceFileOptions = {}): KeyLogFile {
  const sink = new FileSink(path, { append: true, immediate: true, onFailure });
  return {
    keyLog: (line) => sink.write(`${line}\n`),
    get failure() {
      return sink.failure;
    },
    close: () => sink.close(),
  };
}
