/** What the gateway tells of itself while it works; there is nobody to tell where metrics are off. */
export interface Metrics {
  /** A request has been answered, or its client has left. */
  answered(request: AnsweredRequest): void;
  /** A caller was told no. */
  refused(code: string, surface: string): void;
  /** Something is revoked, and that is on disk. */
  revoked(kind: string): void;
  /** So many changes are on disk, or have failed, after so many seconds. */
  committed(jobs: number, seconds: number, failed: boolean): void;
  /** It was tried to bring something to a target. */
  attempted(targetKind: string, acknowledged: boolean): void;
  /** A target has acknowledged a revocation so many milliseconds after it. */
  tookEffect(targetKind: string, ms: number): void;
}

/** What is counted of a request. */
export interface AnsweredRequest {
  readonly method: string;
  /** The pattern of its route; undefined where it has none. */
  readonly route: string | undefined;
  readonly status: number;
  /** Undefined of what goes on for as long as somebody listens. */
  readonly seconds: number | undefined;
}
