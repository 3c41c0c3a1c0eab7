import { IsString, MaxLength } from 'class-validator';
import { IfGiven } from './members/if-given.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../shared/paging.js';
import { PageSize } from './page-size.js';
import { OftenCalled } from './validation/often-called.decorator.js';

/** Keyset paging, as on every list: go on with `nextCursor` until it is null. */
export class PageQueryDto {
  /** Most items in the answer. */
  @PageSize(MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE)
  @OftenCalled('pageSize', 'perPage', 'size', 'count', 'take')
  limit: number = DEFAULT_PAGE_SIZE;

  /** `nextCursor` of the page before; opaque. */
  @IfGiven()
  @IsString()
  @MaxLength(512)
  @OftenCalled('page', 'after', 'offset', 'pageToken', 'nextCursor', 'skip')
  cursor?: string;
}
