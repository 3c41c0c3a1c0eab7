import { randomUUID } from 'node:crypto';
import type { LoadPlan, PlannedRequest } from './load-plan.js';

/** A request that is ready to be sent, and the text that its answer must have. */
export interface ReadyRequest {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly status: number;
  readonly text: string;
  readonly times: number;
}

interface Template {
  readonly request: PlannedRequest;
  /** The same each time, so it is spelled once. */
  readonly fixed: ReadyRequest | undefined;
  sequence: number;
}

interface Kind {
  readonly name: string;
  readonly templates: readonly Template[];
  next: number;
}

/** The requests of a plan, one after another: kinds evenly mixed, the requests of each kind in turns. */
export class RequestSource {
  readonly #round: readonly Kind[];
  #next = 0;

  constructor(private readonly plan: LoadPlan) {
    this.#round = evenlyMixed(
      plan.kinds.map(({ name, share, requests }) => ({
        share,
        kind: { name, next: 0, templates: requests.map((request) => this.template(name, request)) },
      })),
    );
  }

  next(): ReadyRequest {
    const kind = this.#round[this.#next++ % this.#round.length]!;
    const template = kind.templates[kind.next++ % kind.templates.length]!;
    template.sequence += 1;
    return template.fixed ?? this.spell(kind.name, template.request, template.sequence);
  }

  private template(kind: string, request: PlannedRequest): Template {
    const isFixed = !JSON.stringify(request).includes('%');
    return { request, sequence: 0, fixed: isFixed ? this.spell(kind, request, 0) : undefined };
  }

  private spell(kind: string, { method, path, headers, body, expect }: PlannedRequest, sequence: number): ReadyRequest {
    const payload = body?.replaceAll('%seq%', String(sequence)) ?? '';
    const lines = Object.entries({
      host: new URL(this.plan.url).host,
      ...headers,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    }).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const head = lines.join('').replaceAll('%uuid%', () => randomUUID());
    return {
      kind,
      bytes: Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n${payload}`),
      status: expect.status,
      text: expect.text.replaceAll('%seq%', String(sequence)),
      times: expect.times,
    };
  }
}

/** Each kind as often as its share says, as far apart as that allows. */
function evenlyMixed<T>(kinds: readonly { readonly share: number; readonly kind: T }[]): T[] {
  return kinds
    .flatMap(({ share, kind }) => Array.from({ length: share }, (_, turn) => ({ kind, place: (turn + 0.5) / share })))
    .sort((a, b) => a.place - b.place)
    .map(({ kind }) => kind);
}
