const MAX_LENGTH = 200;

/**
 * A `Content-Disposition` that saves what is sent under this name (RFC 6266): in ASCII for old clients, and as it is (RFC 8187).
 * Nothing in the name can end the header or lead to another folder.
 */
export function attachmentNamed(fileName: string): string {
  const name = fileName
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\\/]/gu, '_')
    .slice(0, MAX_LENGTH)
    .toWellFormed();
  const ascii = name.replace(/[^\x20-\x7e]/g, '_').replace(/["%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
