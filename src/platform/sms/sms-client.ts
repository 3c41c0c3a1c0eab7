import type { ProviderOutcome } from '../providers/provider-outcome.js';

/** What came of a text message. */
export type SmsOutcome =
  | Extract<ProviderOutcome, { sent: true }>
  | (Extract<ProviderOutcome, { sent: false }> & {
      /** The provider said no, so that nothing was sent. False: it may have been, the answer was lost. */
      readonly isRefused: boolean;
    });

/** Sends text messages. */
export abstract class SmsClient {
  /**
   * @param to in E.164, such as +4915112345678
   * @param id the same at every attempt
   * @param withinMs how long to wait for the provider, where a person waits for it; ten seconds otherwise
   */
  abstract send(to: string, text: string, id: string, withinMs?: number): Promise<SmsOutcome>;
}
