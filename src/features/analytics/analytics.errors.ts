import { AsProblem, DomainError, type FieldError } from '../../shared/domain-error.js';
import { MAX_POINTS, type PeriodFault } from './domain/periods.js';

const FAULTS: Readonly<Record<Exclude<PeriodFault, 'too_many_points'>, FieldError>> = {
  needs_from: { detail: '`from` is needed with `period=custom`', pointer: '/from' },
  not_custom: { detail: '`from` and `until` go with `period=custom`', pointer: '/period' },
  empty: { detail: '`until` must be later than `from`, and `from` not in the future', pointer: '/until' },
};

@AsProblem(
  {
    code: 'invalid_period',
    kind: 'invalid',
    meaning: 'The period makes no sense.',
    cause:
      '`period=custom` without `from`, `from` or `until` with another period, or a `from` that is not before `until`, or in the future.',
    cure: 'Correct what `errors` points at.',
  },
  'empty',
)
export class InvalidPeriodError extends DomainError {
  override readonly errors: readonly FieldError[];

  constructor(fault: Exclude<PeriodFault, 'too_many_points'>) {
    super(`The period makes no sense: ${FAULTS[fault].detail}.`);
    this.errors = [FAULTS[fault]];
  }
}

@AsProblem({
  code: 'too_many_points',
  kind: 'invalid',
  meaning: 'The period has more points than one answer has.',
  cause: `The period is too long for its \`bucket\`: an answer has at most ${String(MAX_POINTS)} points.`,
  cure: 'Ask for a longer `bucket`, leave it out, or ask for a shorter period.',
})
export class TooManyPointsError extends DomainError {
  constructor() {
    super(`The period has more than ${String(MAX_POINTS)} points: ask for a longer bucket, or a shorter period.`, {
      limit: MAX_POINTS,
    });
  }
}

@AsProblem({
  code: 'period_not_kept',
  kind: 'invalid',
  meaning: 'Events at an edge of the period are not kept any more.',
  cause:
    '`from` or `until` is within a quarter of an hour whose events are gone. Whole quarters are counted and kept for longer.',
  cure: 'Ask from and until a full quarter of an hour, such as 18:15:00 UTC.',
})
export class PeriodNotKeptError extends DomainError {
  constructor() {
    super('Events at an edge of the period are not kept any more: ask from and until a full quarter of an hour.');
  }
}

@AsProblem(
  {
    code: 'too_many_devices_to_analyse',
    kind: 'unprocessable',
    meaning: 'You see more devices than one analysis adds up.',
    cause: 'Your devices, those of your organizations and those that are shared with you are too many.',
    cure: 'Ask for the usage of single devices, or compare some of them.',
  },
  5_000,
)
export class TooManyDevicesToAnalyseError extends DomainError {
  constructor(limit: number) {
    super(`An analysis adds up at most ${String(limit)} devices.`, { limit });
  }
}
