// Receives signed CloudEvents and appends each once to a file whose lines hash the line before:
// AUDIT_SECRET=whsec_... node receiver.mjs [PORT] [FILE]
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';

const secret = process.env.AUDIT_SECRET ?? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
const [port = '8099', file = 'audit.jsonl'] = process.argv.slice(2);
const TOLERANCE_S = 300;

const hash = (text) => createHash('sha256').update(text).digest('hex');

// What is there already: the last hash, and whom we have heard of.
const seen = new Set();
let last = '';
if (fs.existsSync(file)) {
  for (const line of fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const { after, id } = JSON.parse(line);
    if (after !== last) throw new Error(`${file} was tampered with before ${id}`);
    seen.add(id);
    last = hash(line);
  }
}

// One of the signatures must be ours: there are several while a key is being replaced.
function isSigned(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': given = '' } = headers;
  if (!id || !(Math.abs(Date.now() / 1000 - Number(seconds)) < TOLERANCE_S)) return false;
  const ours = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest();
  return given.split(' ').map((one) => one.split(',')).some(([version, text = '']) => {
    const theirs = Buffer.from(text, 'base64');
    return version === 'v1' && theirs.length === ours.length && timingSafeEqual(theirs, ours);
  });
}

// Durable before it is answered; a repetition has the same id and is answered alike.
function keep(id, body) {
  if (seen.has(id)) return;
  const line = JSON.stringify({ id, after: last, event: JSON.parse(body) });
  fs.appendFileSync(file, `${line}\n`, { flush: true });
  seen.add(id);
  last = hash(line);
}

const server = http.createServer((request, reply) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    if (!isSigned(request.headers, body)) {
      reply.writeHead(401).end('the signature is wrong\n');
      return;
    }
    keep(request.headers['webhook-id'], body);
    reply.writeHead(204).end();
  });
});
server.listen(Number(port), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}/events -> ${file}`));
