/** What the generator sends, and what must come back. Both ends of its process speak it: plain data alone. */
export interface PlannedRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** May say `%uuid%`: another one each time. */
  readonly headers: Readonly<Record<string, string>>;
  /** May say `%seq%`: 1, 2, 3, … of this request. */
  readonly body?: string;
  readonly expect: Expectation;
}

/** A good answer: its status, and how often a text is in its body, as the name of a member that every row has. */
export interface Expectation {
  readonly status: number;
  /** May say `%seq%`: that of the request. */
  readonly text: string;
  readonly times: number;
}

/** Requests of one kind, which take turns. */
export interface PlannedKind {
  readonly name: string;
  /** How many of a round are of this kind. */
  readonly share: number;
  readonly requests: readonly PlannedRequest[];
}

export interface LoadPlan {
  readonly url: string;
  /** A round has as many requests as the shares add up to, evenly mixed. */
  readonly kinds: readonly PlannedKind[];
}

export interface LoadRun {
  /** Arrivals, evenly spaced. `null`: a closed loop, in which each connection sends its next request after its answer. */
  readonly perSecond: number | null;
  readonly seconds: number;
  /** Most that are open at once; what arrives beyond waits in the generator, and its time counts from its arrival. */
  readonly connections: number;
  /** Breaks off when a request has waited so long for a connection: what offers more than is served need not go on. */
  readonly giveUpAfterMs: number;
}

/** Milliseconds, from when a request was due. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What became of the requests of one kind, or of all. */
export interface KindOutcome {
  /** Answered as expected. */
  readonly good: Latencies;
  /** Answered 503 `busy`, and when to come back. */
  readonly refused: Latencies;
  /** Anything else, by status, code or failure, such as `500 internal` or `ECONNRESET`. */
  readonly wrong: Readonly<Record<string, number>>;
}

export interface LoadOutcome {
  readonly all: KindOutcome;
  readonly kinds: Readonly<Record<string, KindOutcome>>;
  /** Of which an answer came, good ones and others, in the time from the first arrival to the last answer. */
  readonly perSecond: number;
  /** A whole answer that was wrong, to look at. */
  readonly firstWrong: string | null;
  readonly gaveUp: boolean;
  /** How late requests were sent, in milliseconds: the part of every latency that is the generator's, or its connections'. */
  readonly sentLate: Latencies;
}
