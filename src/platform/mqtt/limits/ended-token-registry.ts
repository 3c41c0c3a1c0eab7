import { Injectable } from '@nestjs/common';
import { callListener } from '../../process/faults.js';

/** The line of a device was ended, because the token by which it logged in is not valid any more. */
export interface EndedLine {
  readonly deviceId: string;
  /** Whether the device has another line by now, with a token that is valid. */
  readonly isBack: () => boolean;
}

/** Tells which lines the embedded broker ended for their tokens: their last wills are refused, and tell it to nothing else. */
@Injectable()
export class EndedTokenRegistry {
  readonly #listeners: ((ended: EndedLine) => void)[] = [];

  /** Calls `listener` when this process ended a line. */
  onEnded(listener: (ended: EndedLine) => void): void {
    this.#listeners.push(listener);
  }

  ended(line: EndedLine): void {
    this.#listeners.forEach((listener) => {
      callListener(() => {
        listener(line);
      });
    });
  }
}
