// Certificates for tests, made with the openssl program.
import assert from 'node:assert/strict';
import path from 'node:path';
import { run } from './lib.mjs';

const openssl = async (dir, args) => {
  const done = await run('openssl', args, { cwd: dir });
  assert.equal(done.code, 0, done.stderr);
};

// NAME.crt and NAME.key in `dir`: signed by `by` (a name there), or by itself; for localhost and
// 127.0.0.1.
export async function certificate(dir, name, by, days = 30) {
  const signed = by ? ['-CA', `${by}.crt`, '-CAkey', `${by}.key`] : [];
  await openssl(dir, ['req', '-x509', ...signed, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', `${days}`, '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ...(by ? ['-addext', 'basicConstraints=critical,CA:FALSE'] : [])]);
  return { cert: path.join(dir, `${name}.crt`), key: path.join(dir, `${name}.key`) };
}
