import type { ProviderOutcome } from '../providers/provider-outcome.js';

/** Sends text messages. */
export abstract class SmsClient {
  /**
   * @param to in E.164, such as +4915112345678
   * @param id the same at every attempt
   */
  abstract send(to: string, text: string, id: string): Promise<ProviderOutcome>;
}
