import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';

/** The answer to the handshake of a page of this origin, over either transport. */
export async function handshakeAnswer(
  url: string,
  origin: string,
  upgrade: boolean,
): Promise<{ status: number; type: string; body: string }> {
  const path = `/socket.io/?EIO=4&transport=${upgrade ? 'websocket' : 'polling'}`;
  const upgrading = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  const asked = httpRequest(url + path, {
    headers: {
      Origin: origin,
      ...(upgrade && { ...upgrading, 'Sec-WebSocket-Key': Buffer.from(randomUUID().slice(0, 16)).toString('base64') }),
    },
  }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response) {
    body += String(part);
  }
  return { status: response.statusCode ?? 0, type: String(response.headers['content-type']), body };
}
