// docs/guarantees.md: each row names tests that are there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root, test } from './lib.mjs';

const dir = path.join(root, 'tests/scenario');

// The titles in a file as they stand there, templates included.
function titlesIn(file) {
  const text = fs.readFileSync(path.join(dir, file), 'utf8');
  const titles = [...text.matchAll(/^ *test\((['"`])((?:\\.|(?!\1).)*)\1,/gm)];
  return new Set(titles.map(([, , title]) => title.replace(/\\(.)/g, '$1')));
}

function rowsOf(doc) {
  const rows = [];
  for (const line of doc.split('\n')) {
    if (!line.startsWith('| ') || /^\| (---|guarantee)/.test(line)) continue;
    rows.push(line.slice(2, -2).split(' | '));
  }
  return rows;
}

test('every guarantee names tests that there are', async () => {
  const rows = rowsOf(fs.readFileSync(path.join(root, 'docs/guarantees.md'), 'utf8'));
  assert.ok(rows.length > 40, `${rows.length} rows`);
  const missing = [];
  for (const row of rows) {
    assert.equal(row.length, 3, `three columns: ${row}`);
    const proofs = row[2].split('<br>');
    for (const proof of proofs) {
      const [, file, title] = /^`([\w.]+\.test\.mjs)`: (.+)$/.exec(proof) ?? assert.fail(`what is ${proof}`);
      if (!fs.existsSync(path.join(dir, file)) || !titlesIn(file).has(title)) missing.push(proof);
    }
  }
  assert.deepEqual(missing, []);
});
