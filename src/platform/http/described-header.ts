/** A header of an answer, as the OpenAPI document describes it. */
export interface DescribedHeader {
  readonly description: string;
  readonly schema: { readonly type: 'string'; readonly example: string };
}

export function describeHeader(description: string, example: string): DescribedHeader {
  return { description, schema: { type: 'string', example } };
}
