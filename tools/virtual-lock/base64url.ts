/**
 * The bytes of base64url without padding (RFC 4648, section 5), if there are exactly `length` of them and the text is
 * the only one that encodes them. Node's own decoder skips foreign characters and ignores spare bits.
 */
export function decodeBase64Url(text: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === length && bytes.toString('base64url') === text ? bytes : undefined;
}
