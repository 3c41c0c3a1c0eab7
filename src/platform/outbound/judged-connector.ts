import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { within } from '../../shared/deadline.js';
import type { NameResolver } from './name-resolver.js';
import { mayConnect } from './outbound-address.js';
import { OutboundError } from './outbound.errors.js';

/** Of the look-up of a name, and then of the connection with its TLS handshake. */
const LOOKUP_WITHIN_MS = 3_000;
const CONNECT_WITHIN_MS = 3_000;

/** What undici's own connector does: its type says that it returns nothing. */
type SocketConnector = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;

interface Connector {
  readonly connect: buildConnector.connector;
  /** Ends the connections that are being made. */
  readonly end: () => void;
}

/**
 * Opens sockets to addresses that were judged a moment ago, and to no other: a name is looked up once for each connection, and what
 * was judged is what the socket is given. Literal addresses are judged here, too, because a socket does not look them up.
 */
export function judgedConnector(resolver: NameResolver, allowed: readonly string[]): Connector {
  const underWay = new Set<Socket>();

  const open = async (options: buildConnector.Options): Promise<Socket> => {
    const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
    const addresses = await addressesOf(host, resolver);
    if (!mayConnect({ protocol: options.protocol, host }, addresses, allowed)) {
      throw new OutboundError('address_not_allowed');
    }
    return connected({ ...options, hostname: host }, addresses, underWay);
  };

  return {
    connect: (options, callback) => {
      open(options).then(
        (socket) => {
          callback(null, socket);
        },
        (error: unknown) => {
          callback(error instanceof OutboundError ? error : new OutboundError('connection_failed'), null);
        },
      );
    },
    end: () => {
      underWay.forEach((socket) => socket.destroy());
    },
  };
}

async function addressesOf(host: string, resolver: NameResolver): Promise<readonly string[]> {
  if (isIP(host) !== 0) {
    return [host];
  }
  const addresses = await within(LOOKUP_WITHIN_MS, resolver.resolve(host)).catch(() => []);
  if (addresses.length === 0) {
    throw new OutboundError('name_not_found');
  }
  return addresses;
}

function connected(
  options: buildConnector.Options,
  addresses: readonly string[],
  underWay: Set<Socket>,
): Promise<Socket> {
  const connect = buildConnector({
    lookup: answering(addresses),
    autoSelectFamily: true,
    timeout: CONNECT_WITHIN_MS,
    allowH2: false,
    // A session of TLS that is taken up again would be that of whatever stood behind the name before.
    maxCachedSessions: 0,
    rejectUnauthorized: true,
  }) as SocketConnector;
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const socket = connect(options, (error, made) => {
      if (made) {
        resolve(made);
      } else {
        reject(isConnected ? tlsErrorOf(error) : new OutboundError('connection_failed'));
      }
    });
    underWay.add(socket);
    socket.once('connect', () => {
      isConnected = true;
    });
    socket.once(options.protocol === 'https:' ? 'secureConnect' : 'connect', () => underWay.delete(socket));
    // One that was ended by us has no error.
    socket.once('close', () => {
      underWay.delete(socket);
      reject(new OutboundError('connection_failed'));
    });
  });
}

/** Gives a socket the addresses that were judged, whatever name it asks for. */
function answering(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, { all: wantsAll }, callback) => {
    if (wantsAll === true) {
      callback(null, all);
    } else {
      callback(null, all[0]?.address ?? '', all[0]?.family);
    }
  };
}

/** Words such as CERT_HAS_EXPIRED tell the owner of a receiver what to put right. */
function tlsErrorOf(error: Error & { readonly code?: unknown }): OutboundError {
  const code = String(error.code);
  return /^[A-Z][A-Z_]{2,60}$/.test(code) && !code.startsWith('UND_')
    ? new OutboundError('tls_failed', `No secure connection came about: ${code}.`)
    : new OutboundError('tls_failed');
}
