import { domainToASCII } from 'node:url';

/** What is neither seen nor typed: controls, zero-width and direction marks, soft hyphens, fillers, unassigned characters. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** ASCII as wide as Chinese characters: keyboards of East Asia write it so. */
const WIDE = /[\uff01-\uff5e]/g;
const WIDE_OFFSET = 0xfee0;
const ASCII = /^\p{ASCII}*$/u;
/** In ASCII, what no name in the DNS has. It would end the name, or be an escape, for the reader of URLs that is used here. */
const NO_DOMAIN = /[^a-z0-9.\u0080-\u{10ffff}-]/u;

/** What is longer is no identifier in any form, and stays as it is: composing takes time with the square of the length. */
const LONGEST = 1_024;

/**
 * The one spelling of an e-mail address or username: for storage, look-up, limits and mail. It is in lower case,
 * composed, and without wide letters (RFC 8265, UsernameCaseMapped); after an `@`, the domain has the form of the DNS, so
 * that `bücher.example` and `xn--bcher-kva.example` are one (UTS 46).
 */
export function canonicalIdentifier(typed: string): string {
  if (typed.length > LONGEST) {
    return typed;
  }
  const narrow = typed.trim().replace(WIDE, (wide) => String.fromCharCode(wide.charCodeAt(0) - WIDE_OFFSET));
  const name = narrow.normalize('NFC').toLowerCase().normalize('NFC');
  const domainAt = name.lastIndexOf('@') + 1;
  return domainAt === 0 ? name : name.slice(0, domainAt) + canonicalDomain(name.slice(domainAt));
}

/**
 * A domain in lower case, or a part of one, in the form of the DNS; as it is when it has none. Invisible characters stay,
 * though UTS 46 drops them: such a name is refused, and is the address of no account.
 */
export function canonicalDomain(domain: string): string {
  const isConvertible = !ASCII.test(domain) && !INVISIBLE.test(domain) && !NO_DOMAIN.test(domain);
  return (isConvertible && domainToASCII(domain)) || domain;
}

/**
 * What keeps a new account from having this e-mail address, as a sentence without its subject; null when nothing does.
 * @param email in its one spelling
 */
export function emailFault(email: string): string | null {
  if (INVISIBLE.test(email)) {
    return 'must not contain invisible characters';
  }
  return email.length > LONGEST || email === email.normalize('NFKC')
    ? null
    : 'must not contain characters that stand for others, such as ligatures and superscripts';
}
