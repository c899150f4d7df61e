// Compares how fast conditions are evaluated: pawl, @marcbachmann/cel-js, and functions written by hand, in one run;
// then how fast pawl finds the triggers that an event wakes, by their number.
//
// usage: conditions.mjs PROGRAM [--million] [--json FILE]     (./dev bench conditions builds PROGRAM and calls this)
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Environment } from '@marcbachmann/cel-js';
import { conditions, events } from './events.mjs';

const [program, ...flags] = process.argv.slice(2);
const WINDOW_MS = 300;
const ROUNDS = 3;

// Evaluations a second of the fastest round; a round goes over all events again and again.
function rate(evaluate) {
  let best = 0;
  let sink = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let count = 0;
    const start = performance.now();
    let now = start;
    while (now - start < WINDOW_MS) {
      for (let i = 0; i < 100; i++) {
        for (const event of events) { sink += evaluate(event) ? 1 : 0; }
      }
      count += 100 * events.length;
      now = performance.now();
    }
    best = Math.max(best, count / (now - start) * 1000);
  }
  if (sink < 0) { throw new Error('never'); }
  return best;
}

const millions = (perSecond) => (perSecond / 1e6).toFixed(perSecond < 1e7 ? 2 : 1);
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);

function run(...args) {
  return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
    .split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pawl-conditions-'));
const files = { events: path.join(dir, 'events'), conditions: path.join(dir, 'conditions') };
fs.writeFileSync(files.events, events.map((e) => JSON.stringify(e)).join('\n'));
fs.writeFileSync(files.conditions, conditions.map(([name, cel]) => JSON.stringify({ name, cel })).join('\n'));
const bytes = events.map((e) => Buffer.byteLength(JSON.stringify(e)));

const ours = run('eval', files.events, files.conditions);
const cel = new Environment();
for (const name of ['event_type', 'scope', 'key', 'old_value', 'new_value']) { cel.registerVariable(name, 'dyn'); }

console.log(`${events.length} events of ${Math.min(...bytes)} to ${Math.max(...bytes)} bytes, parsed; one thread; `
  + `evaluations/s in millions, best of ${ROUNDS} windows of ${WINDOW_MS} ms.\n`);
row(['condition', 'pawl', 'cel-js', 'ratio', 'by hand (V8)', 'compiled in us', 'bytes']);
row(Array(7).fill('---'));
const figures = { conditions: [], triggers: [] };
conditions.forEach(([name, text, byHand], i) => {
  const parsed = cel.parse(text);
  const want = events.map((e) => (byHand(e) ? '1' : '0')).join('');
  const theirs = events.map((e) => (parsed(e) === true ? '1' : '0')).join('');
  for (const [who, got] of [['pawl', ours[i].answers], ['cel-js', theirs]]) {
    if (got !== want) { throw new Error(`${name}: ${who} answers ${got}, not ${want}`); }
  }
  const figure = { name, pawl: ours[i].per_s, cel_js: rate(parsed), by_hand: rate(byHand), compile_us: ours[i].compile_us };
  figures.conditions.push(figure);
  row([name, millions(figure.pawl), millions(figure.cel_js), (figure.pawl / figure.cel_js).toFixed(1),
    millions(figure.by_hand), ours[i].compile_us.toFixed(1), ours[i].bytes]);
});

console.log('\nEvents from JSON text to the triggers that they wake; each wakes one.\n');
row(['triggers', 'registered in s', 'bytes each', 'events/s', 'of 1,000 triggers']);
row(Array(5).fill('---'));
for (const count of [1000, 10000, 100000, ...(flags.includes('--million') ? [1000000] : [])]) {
  const [figure] = run('match', files.events, String(count));
  figures.triggers.push(figure);
  row([count.toLocaleString('en'), figure.register_s.toFixed(2), figure.bytes, Math.round(figure.per_s).toLocaleString('en'),
    (figure.per_s / figures.triggers[0].per_s).toFixed(2)]);
}
const to = flags.indexOf('--json');
if (to >= 0) { fs.writeFileSync(flags[to + 1], JSON.stringify(figures, null, 1)); }
fs.rmSync(dir, { recursive: true });
