import { Module } from '@nestjs/common';

/** What an installation tells browsers and finders of weaknesses, and what it hears of them. */
@Module({})
export class WebSecurityModule {}
