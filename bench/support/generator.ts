import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';

/** Programs in `bench/generators`. */
type GeneratorProgram = 'open-loop' | 'locks' | 'dashboards';

/** What such a program answers: a value, or why there is none. */
export type GeneratorAnswer = { readonly value: unknown } | { readonly failure: string };

/** A program that plays the outside world, as a process of its own: what it takes is not the server's, nor ours. It ends with us. */
export class Generator {
  #pending: PromiseWithResolvers<unknown> | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (answer: GeneratorAnswer) => {
      if ('value' in answer) {
        this.#pending?.resolve(answer.value);
      } else {
        this.#pending?.reject(new Error(answer.failure));
      }
    });
    child.once('exit', () => {
      this.#pending?.reject(new Error('The generator ended.'));
    });
  }

  static start(program: GeneratorProgram): Generator {
    return new Generator(
      fork(join(ROOT, 'dist', 'bench', 'generators', `${program}.js`), {
        execArgv: [],
        // Figures that are no numbers arrive as such.
        serialization: 'advanced',
      }),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** One question at a time. @throws what went wrong there */
  async ask<T>(question: string, given: unknown = null): Promise<T> {
    this.#pending = Promise.withResolvers<unknown>();
    this.child.send({ question, given });
    return (await this.#pending.promise) as T;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill();
      await ended;
    }
  }
}
