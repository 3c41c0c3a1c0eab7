/** How a lock can misbehave on request. The value says what it does, and becomes the help text. */
export const FAULTS = {
  deaf: 'hears orders and does nothing at all',
  'ack-only': 'answers executed but never moves the bolt',
  'forget-acks': 'moves the bolt but never answers an order',
  'duplicate-acks': 'sends every ack twice',
  'acks-out-of-order': 'sends the acks of a command in reverse order, the verdict first',
  'crash-after-move': 'dies after the movement is on disk and before it answers',
  jam: 'answers failed (jammed) and does not move',
  'no-events': 'reports no events',
  'no-heartbeat': 'sends no heartbeats',
  'no-clock': 'has no wall clock: its events carry only an uptime',
  slow: 'waits so many milliseconds before it moves: slow=2000',
  drift: 'its uptime runs at so many times the true speed: drift=1.05',
  'clock-offset': 'its wall clock is off by so many milliseconds: clock-offset=-3600000',
} as const;
export type Fault = keyof typeof FAULTS;

const MEASURED = { slow: [0, 600_000], drift: [0.1, 10], 'clock-offset': [-1e12, 1e12] } as const;
type MeasuredFault = keyof typeof MEASURED;
type PlainFault = Exclude<Fault, MeasuredFault>;

export class UnknownFaultError extends Error {
  override readonly name = 'UnknownFaultError';
}

/** The faults a lock was given. */
export class Faults {
  readonly #plain = new Set<string>();
  readonly #measured = new Map<string, number>();

  static readonly none = new Faults([]);

  /** Each as written on the command line: `jam`, `slow=2000`. */
  constructor(spelled: readonly string[]) {
    for (const entry of spelled) {
      const [name = '', value] = entry.split('=', 2);
      if (isMeasured(name)) {
        this.#measured.set(name, readMeasure(name, value));
      } else if (Object.hasOwn(FAULTS, name) && value === undefined) {
        this.#plain.add(name);
      } else {
        throw new UnknownFaultError(`There is no fault "${entry}". There are: ${Object.keys(FAULTS).join(', ')}.`);
      }
    }
  }

  has(fault: PlainFault): boolean {
    return this.#plain.has(fault);
  }

  measure(fault: MeasuredFault, otherwise: number): number {
    return this.#measured.get(fault) ?? otherwise;
  }
}

function isMeasured(name: string): name is MeasuredFault {
  return Object.hasOwn(MEASURED, name);
}

function readMeasure(name: MeasuredFault, value: string | undefined): number {
  const [min, max] = MEASURED[name];
  const measure = value === undefined || value === '' ? Number.NaN : Number(value);
  if (Number.isNaN(measure) || measure < min || measure > max) {
    throw new UnknownFaultError(
      `Fault "${name}" wants a number from ${String(min)} to ${String(max)}: ${name}=<number>.`,
    );
  }
  return measure;
}
