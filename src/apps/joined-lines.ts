/** Doc comments are wrapped; documents are not, and Swagger UI would break lines where they were. Lists stay lists. */
export function joined(text = ''): string {
  return text.replace(/\n(?!\n|- )/g, ' ').trim();
}
