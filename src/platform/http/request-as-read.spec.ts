import { Body, Controller, type ExecutionContext, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray } from 'class-validator';
import { requestAsRead } from './request-as-read.js';

class ListDto {
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(String) : value))
  @IsArray()
  @ArrayMaxSize(2)
  list!: string[];
}

@Controller()
class ListController {
  @Post()
  take(@Body() list: ListDto): ListDto {
    return list;
  }
}

function bodyAsRead(body: unknown): unknown {
  const context = {
    getClass: () => ListController,
    getHandler: () => Reflect.get(ListController.prototype, 'take') as () => unknown,
    switchToHttp: () => ({ getRequest: () => ({ params: {}, query: {}, body }) }),
  };
  return requestAsRead(context as unknown as ExecutionContext).body;
}

describe('requestAsRead', () => {
  it('reads a body as its class does', () => {
    expect(bodyAsRead({ list: [1, 2] })).toEqual({ list: ['1', '2'] });
  });

  it('leaves one as it is that has a list beyond its bound', () => {
    const body = { list: [1, 2, 3] };
    expect(bodyAsRead(body)).toBe(body);
  });
});
