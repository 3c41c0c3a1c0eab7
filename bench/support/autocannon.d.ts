/** The few parts of autocannon that the benchmarks use; it ships no types. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    readonly headers?: Readonly<Record<string, string>>;
    /** An answer with another body counts as a mismatch. */
    readonly expectBody?: string;
    /** Called for each connection. */
    readonly setupClient?: (client: { setHeaders(headers: Readonly<Record<string, string>>): void }) => void;
  }

  interface Result {
    readonly requests: { readonly total: number };
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number };
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly mismatches: number;
    readonly statusCodeStats: Readonly<Record<string, { readonly count: number } | undefined>>;
  }

  function autocannon(options: Options): Promise<Result>;
  export = autocannon;
}
