import { lookup, Resolver } from 'node:dns/promises';

/** Of one question to one server; the next one is asked after that. */
const ANSWER_WITHIN_MS = 1_000;
const TRIES = 2;

export interface NameResolverOptions {
  /** Addresses of DNS servers with their ports, in place of the system's. */
  readonly servers?: readonly string[];
  /** Whether a name that DNS does not know is one of the system's: of /etc/hosts, or of mDNS. */
  readonly local?: boolean;
}

/**
 * The addresses of a name, asked of DNS by this process itself. `getaddrinfo` would hold one of the four threads that read files and
 * hash, too, for as long as the server of a hostile name is silent.
 */
export class NameResolver {
  readonly #resolver = new Resolver({ timeout: ANSWER_WITHIN_MS, tries: TRIES });
  readonly #local: boolean;
  #localUnderWay: Promise<unknown> | null = null;

  constructor({ servers, local = false }: NameResolverOptions = {}) {
    if (servers) {
      this.#resolver.setServers(servers);
    }
    this.#local = local;
  }

  /** All of them, of both kinds; none where the name has none, or no server says so in time. */
  async resolve(name: string): Promise<readonly string[]> {
    const answers = await Promise.allSettled([this.#resolver.resolve4(name), this.#resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    return addresses.length === 0 && this.#local ? this.lookUp(name) : addresses;
  }

  /** What was asked and is not answered yet is given up. */
  end(): void {
    this.#resolver.cancel();
  }

  /** One at a time, because each takes a thread. */
  private async lookUp(name: string): Promise<readonly string[]> {
    while (this.#localUnderWay) {
      await this.#localUnderWay;
    }
    const found = lookup(name, { all: true }).then(
      (addresses) => addresses.map(({ address }) => address),
      () => [],
    );
    this.#localUnderWay = found.finally(() => {
      this.#localUnderWay = null;
    });
    return found;
  }
}
