import { IsString, MaxLength } from 'class-validator';
import { IfGiven } from './if-given.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../shared/paging.js';
import { PageSize } from './page-size.js';

/** Keyset paging, as on every list: go on with `nextCursor` until it is null. */
export class PageQueryDto {
  /** Most items in the answer. */
  @PageSize(MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE)
  limit: number = DEFAULT_PAGE_SIZE;

  /** `nextCursor` of the page before; opaque. */
  @IfGiven()
  @IsString()
  @MaxLength(512)
  cursor?: string;
}
