/** A mail as it is read. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
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
