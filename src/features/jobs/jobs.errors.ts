import { AsProblem, DomainError } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'queue_not_found',
    kind: 'not_found',
    meaning: 'There is no such queue.',
    cause: 'Its name is misspelt.',
    cure: 'Read `GET /admin/queues`, which lists them.',
  },
  'mails',
)
export class QueueNotFoundError extends DomainError {
  constructor(queue: string) {
    super('There is no queue of this name.', { queue });
  }
}

@AsProblem({
  code: 'dead_letter_not_found',
  kind: 'not_found',
  meaning: 'The queue has no such dead letter.',
  cause: 'The id is wrong, or it was replayed or discarded meanwhile, perhaps by another administrator.',
  cure: 'Read the list of dead letters again.',
})
export class DeadLetterNotFoundError extends DomainError {
  constructor() {
    super('There is no such dead letter, or not any more.');
  }
}

@AsProblem({
  code: 'dead_letter_not_replayable',
  kind: 'conflict',
  meaning: 'The dead letter cannot be replayed.',
  cause:
    'What it takes is gone: a mail was given up because a backup was restored, or by a release that did not keep it; the events that a report counts are past their time; the webhook is disabled, or the message only tried it out.',
  cure: 'Discard it, and let its recipient ask anew.',
})
export class DeadLetterNotReplayableError extends DomainError {
  constructor() {
    super('What it takes to do this again is not kept any more.');
  }
}
