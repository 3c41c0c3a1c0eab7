import { domainToASCII } from 'node:url';

/** What is neither seen nor typed: controls, zero-width and direction marks, soft hyphens, fillers, unassigned characters. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** ASCII as wide as Chinese characters: keyboards of East Asia write it so. */
const WIDE = /[\uff01-\uff5e]/g;
const WIDE_OFFSET = 0xfee0;
const ASCII = /^\p{ASCII}*$/u;
/** In ASCII, what no name in the DNS has. It would end the name, or be an escape, for the reader of URLs that is used here. */
const NO_DOMAIN = /[^a-z0-9.\u0080-\u{10ffff}-]/u;

/** A quoted local part (RFC 5321, section 4.1.2); a backslash takes the meaning from what follows it. */
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/su;
/** What stands for itself in a local part (RFC 5322, dot-atom); the rest needs quotes, or is a comment or a list. */
const PLAIN_LOCAL = /^[^\s"(),.:;<>@[\\\]]+(?:\.[^\s"(),.:;<>@[\\\]]+)*$/u;
const SPECIALS = /["(),:;<>[\\\]]/;

/** What is longer is no identifier in any form, and stays as it is: composing takes time with the square of the length. */
const LONGEST = 1_024;

/**
 * The one spelling of an e-mail address or username: for storage, look-up, limits and mail. It is in lower case,
 * composed, and without wide letters (RFC 8265, UsernameCaseMapped); before an `@`, without quotes that mean nothing (RFC
 * 5321); after it, the domain has the form of the DNS, so that `bücher.example` and `xn--bcher-kva.example` are one (UTS 46).
 */
export function canonicalIdentifier(typed: string): string {
  if (typed.length > LONGEST) {
    return typed;
  }
  const narrow = typed.trim().replace(WIDE, (wide) => String.fromCharCode(wide.charCodeAt(0) - WIDE_OFFSET));
  // The last capital sigma of a word would become the other small one, and what follows decides which one is the last.
  const name = narrow.normalize('NFC').replaceAll('Σ', 'σ').toLowerCase().normalize('NFC');
  const at = name.lastIndexOf('@');
  return at === -1 ? name : `${canonicalLocalPart(name.slice(0, at))}@${canonicalDomain(name.slice(at + 1))}`;
}

/** The local part of an address: without quotes and escapes where it needs none, and with one small form of sigma. */
export function canonicalLocalPart(local: string): string {
  const bare = QUOTED.exec(local)?.[1]?.replace(/\\(.)/gsu, '$1');
  return (bare !== undefined && PLAIN_LOCAL.test(bare) ? bare.normalize('NFC') : local).replaceAll('ς', 'σ');
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
  if (SPECIALS.test(email.slice(0, email.lastIndexOf('@')))) {
    return 'must not contain quotes, comments or escapes';
  }
  return email.length > LONGEST || email === email.normalize('NFKC')
    ? null
    : 'must not contain characters that stand for others, such as ligatures and superscripts';
}
