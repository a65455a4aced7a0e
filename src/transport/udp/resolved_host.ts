/** An IP address and its family. */
export interface ResolvedHost {
  /** The address, numeric. */
  readonly host: string;
  /** 4 or 6. */
  readonly family: 4 | 6;
}
