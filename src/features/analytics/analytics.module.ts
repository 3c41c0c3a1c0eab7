import { Module } from '@nestjs/common';
import { CountingModule } from './counting/counting.module.js';

@Module({
  imports: [CountingModule],
})
export class AnalyticsModule {}
