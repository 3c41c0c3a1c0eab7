/** Answers everything with the same bytes: what is measured against it is the generator. */
import { createServer } from 'node:http';

const body = Buffer.from(process.env.BODY ?? '{}');

createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
