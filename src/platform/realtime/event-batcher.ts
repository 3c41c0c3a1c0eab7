import type { DashboardSocket } from './sockets.js';

/** Events that a socket has not been sent yet, as the path from the root: sockets with the same list share its end. */
interface Node<E> {
  readonly event: E | undefined;
  readonly parent: Node<E> | undefined;
  readonly length: number;
  readonly next: Map<E, Node<E>>;
}

export interface BatchingRules<E> {
  /** How long an event waits for others, in milliseconds. */
  readonly windowMs: number;
  /** Events that leave together at most. */
  readonly maxEvents: number;
  /** Sends a list of events to sockets, of which each gets them all. */
  readonly send: (sockets: readonly DashboardSocket[], events: readonly E[]) => void;
}

/** Collects the events of a short window for each socket. Those that heard the same are sent the same, which is encoded once. */
export class EventBatcher<E extends object> {
  #root = newNode<E>(undefined, undefined);
  readonly #waiting = new Map<DashboardSocket, Node<E>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly rules: BatchingRules<E>) {}

  /** Adds an event to what a socket is sent next. The same event is the same object for all of them. */
  push(socket: DashboardSocket, event: E): void {
    const before = this.#waiting.get(socket) ?? this.#root;
    const after = before.next.get(event) ?? newNode(event, before);
    before.next.set(event, after);
    this.#waiting.set(socket, after);
    this.#timer ??= setTimeout(() => {
      this.flushAll();
    }, this.rules.windowMs);
    if (after.length >= this.rules.maxEvents) {
      this.flushAll();
    }
  }

  /** Sends what a socket has not been sent yet, now: something else follows. */
  flush(socket: DashboardSocket): void {
    const node = this.#waiting.get(socket);
    if (node && this.#waiting.delete(socket)) {
      this.rules.send([socket], eventsOf(node));
    }
  }

  private flushAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const groups = new Map<Node<E>, DashboardSocket[]>();
    this.#waiting.forEach((node, socket) => {
      const group = groups.get(node);
      if (group) {
        group.push(socket);
      } else {
        groups.set(node, [socket]);
      }
    });
    this.#waiting.clear();
    this.#root = newNode<E>(undefined, undefined);
    groups.forEach((sockets, node) => {
      this.rules.send(sockets, eventsOf(node));
    });
  }
}

function newNode<E>(event: E | undefined, parent: Node<E> | undefined): Node<E> {
  return { event, parent, length: (parent?.length ?? -1) + 1, next: new Map() };
}

function eventsOf<E>(node: Node<E>): E[] {
  const events: E[] = [];
  for (let each: Node<E> | undefined = node; each?.event !== undefined; each = each.parent) {
    events.push(each.event);
  }
  return events.reverse();
}
