/** How far a transfer is. */
export interface FileProgress {
  /** Name of the file, as it was offered. */
  readonly name: string;
  /** Bytes done. */
  readonly bytes: number;
  /** Bytes in all, or null while nobody knows. */
  readonly size: number | null;
  /** Bytes of those done that an earlier transfer brought. */
  readonly resumed: number;
}
