import type { NotificationKind } from '../notifications.types.js';

/** The messages of one kind, each in ICU MessageFormat. What their arguments are is said by `text-arguments.ts`. */
export interface KindMessages {
  /** What several of them are called together in a digest. */
  readonly heading: string;
  readonly title: string;
  readonly text: string;
  /** What one of them is about, in a digest below the heading. Those for which it says the same are counted together. */
  readonly line: string;
}

/** Everything that notifications say in one language. */
export interface Catalog {
  readonly kinds: Readonly<Record<NotificationKind, KindMessages>>;
  /** Arguments of the messages above: names (`name`; `given` is `yes` or `no`) and words (`word`). */
  readonly words: Readonly<{
    device: string;
    person: string;
    organization: string;
    program: string;
    code: string;
    command: string;
    permission: string;
    role: string;
    exported: string;
  }>;
  readonly digest: Readonly<{
    title: string;
    /** The title, where all are of one kind. */
    titleOfOneKind: string;
    period: string;
    heading: string;
    line: string;
    /** In place of what is left out. */
    more: string;
  }>;
}
