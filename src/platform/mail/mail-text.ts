/** Headers that a mail may bring with it. Which values they take is judged by `checkedHeaders`. */
export interface MailHeaders {
  /** `<https://…>`: where one request ends mails of this kind (RFC 8058). */
  readonly 'List-Unsubscribe': string;
  readonly 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click';
}

/** A mail as it is read. */
export interface RenderedMail {
  readonly subject: string;
  /** Paragraphs, between empty lines. The HTML is made of it. */
  readonly text: string;
  /** Of the text, as a BCP 47 tag; English without it. */
  readonly language?: string;
  readonly headers?: MailHeaders;
}

const MAX_NAME_LENGTH = 60;

/** A page of the front end with a token behind the `#`: browsers do not send it, so no access log or Referer has it. */
export function linkTo(publicUrl: string, page: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/${page}#token=${token}`;
}

/** A name that a user chose, on one line, without anything that a mail program turns into a link. */
export function plain(name: string): string {
  return Array.from(name.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').replace(/[:/@<>]+|\.(?=\S)/g, ' '))
    .slice(0, MAX_NAME_LENGTH)
    .join('')
    .trim();
}

export function paragraphs(...lines: readonly string[]): string {
  return `${lines.join('\n\n')}\n`;
}
