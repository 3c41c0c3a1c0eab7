import { Injectable } from '@nestjs/common';
import type { NewMail } from '../../contracts/mail.js';
import type { RenderedMail } from './mail-text.js';

/** Writes the mails of one template. Names in `values` are shown by `plain`, tokens become links by `linkTo`. */
export type MailComposer = (values: never, publicUrl: string) => RenderedMail;

/** Composers by the name of their template. */
export type MailComposers = Readonly<Record<string, MailComposer>>;

/** What the composers of a feature take, by template: a feature merges it into `MailTemplates`. */
export type MailValuesOf<C extends MailComposers> = { [T in keyof C]: Parameters<C[T]>[0] };

/** The text of every mail, registered by its owner through `MailModule.forFeature`. */
@Injectable()
export class MailTemplateRegistry {
  readonly #composers = new Map<string, MailComposer>();

  /** @throws when a template is registered already. */
  register(composers: MailComposers): void {
    for (const [template, composer] of Object.entries(composers)) {
      if (this.#composers.has(template)) {
        throw new Error(`The mail template "${template}" is registered twice.`);
      }
      this.#composers.set(template, composer);
    }
  }

  /** @throws for an unknown template: a newer release may share the table while it is rolled out. */
  compose({ template, values }: NewMail, publicUrl: string): RenderedMail {
    const composer = this.#composers.get(template);
    if (!composer) {
      throw new Error(`No mail template "${template}": its feature registers one with MailModule.forFeature.`);
    }
    return composer(values as never, publicUrl);
  }
}

/** Values that open something: links are made of tokens, and codes are typed. */
const SECRETS = ['token', 'code'];

/** The same mail as a log may show it: without its tokens and codes. */
export function redacted(mail: NewMail): NewMail {
  return { ...mail, values: withoutSecrets(mail.values) } as NewMail;
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutSecrets);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, SECRETS.includes(name) ? '[redacted]' : withoutSecrets(inner)]),
  );
}
