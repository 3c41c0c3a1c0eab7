import { Module } from '@nestjs/common';

/** The catalogue of refusals, which the classes of errors describe themselves. */
@Module({})
export class ProblemsModule {}
