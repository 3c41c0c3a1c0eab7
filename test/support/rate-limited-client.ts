import { randomUUID } from 'node:crypto';
import { PASSWORD } from './accounts.fixture.js';
import { type Answer, request, type RequestOptions } from './rest.js';

/** Asks from addresses of its choice, where the application trusts this machine as its proxy. */
export class RateLimitedClient {
  #lastHost = 0;

  constructor(private readonly url: string) {}

  newAddress(): string {
    this.#lastHost += 1;
    return `198.51.100.${String(this.#lastHost)}`;
  }

  from(address: string, method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return request(this.url, method, path, { ...options, headers: { ...options.headers, 'x-forwarded-for': address } });
  }

  async statusesOf(times: number, ask: () => Promise<Answer>): Promise<number[]> {
    const statuses: number[] = [];
    for (let time = 0; time < times; time += 1) {
      statuses.push((await ask()).status);
    }
    return statuses;
  }

  /** The access token of a person who registered and signed in at an address of their own. */
  async newcomer(): Promise<string> {
    const email = `${randomUUID()}@example.com`;
    await this.from(this.newAddress(), 'POST', '/api/v1/auth/register', { body: { email, password: PASSWORD } });
    const { body } = await this.from(this.newAddress(), 'POST', '/api/v1/auth/login', {
      body: { identifier: email, password: PASSWORD },
    });
    return String(body.accessToken);
  }
}
