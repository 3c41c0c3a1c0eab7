import type { GeneratorAnswer } from './generator.js';

type Handler = (given: never) => unknown;

/** The other end of a `Generator`: answers what it is asked, and ends with who asks. */
export function answerQuestions(handlers: Readonly<Record<string, Handler>>): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ question, given }: { question: string; given: unknown }) => {
    answer(handlers[question], given).then(
      (value) => {
        tell({ value: value ?? null });
      },
      (error: unknown) => {
        tell({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      },
    );
  });
}

async function answer(handler: Handler | undefined, given: unknown): Promise<unknown> {
  if (!handler) {
    throw new Error('This generator does not know that question.');
  }
  return await handler(given as never);
}

function tell(answer: GeneratorAnswer): void {
  process.send?.(answer);
}
