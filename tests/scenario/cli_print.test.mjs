// What a person sees: tables that fit the terminal, colours, times, and nothing that steers it.
import assert from 'node:assert/strict';
import { program, run, startDaemon, startManual, test } from './lib.mjs';

// Runs a command line of pawl on a terminal of so many columns; `env` may unset with undefined.
async function onTerminal(daemon, columns, line, env = {}) {
  const all = { ...process.env, PAWL_URL: daemon.url, TERM: 'xterm', NO_COLOR: undefined, ...env };
  const script = `stty cols ${columns} rows 40; ${program} ${line}`;
  const result = await run('script', ['-qec', script, '/dev/null'], { env: all, cwd: daemon.dir });
  assert.equal(result.code, 0, result.stdout);
  return result.stdout.replaceAll('\r\n', '\n');
}
const plain = (text) => text.replace(/\u001b\[\d*m/g, '');
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]|\p{Emoji_Presentation}/u;
const columnsOf = (text) => [...text].reduce((sum, char) => sum + (/\p{Mn}/u.test(char) ? 0 : wide.test(char) ? 2 : 1), 0);

test('tables fit the terminal, with wide characters too; --wide shows all', async (t) => {
  const daemon = await startDaemon(t);
  const keys = ['plain', '日本語のキー', 'emoji 🎉🎉', 'e\u0301te\u0301', 'k'.repeat(150)];
  for (const key of keys) await daemon.set('s', key, { text: '漢字'.repeat(80), more: 'x'.repeat(300) });
  for (const columns of [40, 80, 133]) {
    const lines = plain(await onTerminal(daemon, columns, 'list s')).trimEnd().split('\n');
    assert.equal(lines.length, keys.length + 1);
    for (const line of lines) assert.ok(columnsOf(line) <= columns, `${columnsOf(line)} columns: ${line}`);
    assert.ok(lines.some((line) => columnsOf(line) >= columns - 1), 'the line is used');
    const at = lines[0].indexOf('REV');
    for (const line of lines.slice(1)) {
      const before = [...line].reduce((cut, char) => (columnsOf(cut) < at ? cut + char : cut), '');
      assert.match(line.slice(before.length), /^\d/, `the columns stand one below the other: ${line}`);
    }
  }
  const whole = plain(await onTerminal(daemon, 40, 'list s --wide'));
  assert.ok(whole.includes('k'.repeat(150)) && whole.includes('x'.repeat(300)));
});

test('nothing that is stored steers the terminal', async (t) => {
  const daemon = await startDaemon(t);
  const evil = '\u001b]0;owned\u0007\u009b31m\u202eabc\u007f';
  await daemon.set('s', evil, evil);
  await daemon.set(evil, 'k', evil);
  for (const args of [['list', 's'], ['get', 's', evil], ['scopes'], ['events'], ['get', 's', `${evil}no`], ['explain', '1'],
    ['trigger', 'show', evil], ['list', 's', '--wide']]) {
    const { stdout, stderr } = await daemon.cli(...args);
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, args.join(' '));
  }
  assert.equal(JSON.parse((await daemon.cli('get', 's', evil)).stdout), evil, 'it is still the same JSON');
  assert.match((await daemon.cli('list', 's')).stdout, /\\u001b\]0;owned\\u0007\\u009b31m\\u202eabc\\u007f/);
}, 30000);

test('colours only on a terminal, and as --color, NO_COLOR and TERM say', async (t) => {
  const daemon = await startDaemon(t, { functions: [{ id: 'f', exec: { command: ['cat'] } }],
    triggers: [{ id: 'runs', scope: 's', function: 'f' }, { id: 'stands', scope: 's', function: 'f' }] });
  await daemon.cli('trigger', 'pause', 'stands');
  const colored = await onTerminal(daemon, 200, 'triggers');
  assert.match(colored, /\u001b\[32mlive\u001b\[0m/);
  assert.match(colored, /\u001b\[31mpaused\u001b\[0m/);
  assert.match(colored, /\u001b\[1mID\u001b\[0m/);
  for (const [line, env] of [['triggers', { NO_COLOR: '1' }], ['triggers', { TERM: 'dumb' }], ['triggers --color never', {}],
    ['triggers --json', {}]]) assert.doesNotMatch(await onTerminal(daemon, 200, line, env), /\u001b/, line);
  assert.match(await onTerminal(daemon, 200, 'triggers', { NO_COLOR: '' }), /\u001b/);
  assert.match(await onTerminal(daemon, 200, 'triggers --color always', { NO_COLOR: '1' }), /\u001b\[32mlive/);
  assert.doesNotMatch((await daemon.cli('triggers')).stdout, /\u001b/);
  assert.match((await daemon.cli('triggers', '--color', 'always')).stdout, /\u001b\[31mpaused/);
});

test('times: how far away on a terminal, by the clock of the engine; exact elsewhere', async (t) => {
  const daemon = await startManual(t, {}, '2026-01-01T00:00:00Z');
  for (const [key, delay] of [['a', '5m'], ['b', '26h'], ['c', '30s'], ['d', '100d']]) {
    assert.equal((await daemon.cli('alarm', 'set', 's', key, '--delay', delay)).code, 0);
  }
  const seen = plain(await onTerminal(daemon, 120, 'alarm list'));
  assert.match(seen, /s +a .* in 5 m /);
  assert.match(seen, /s +b .* in 1 d 2 h /);
  assert.match(seen, /s +c .* in 30 s /);
  assert.match(seen, /s +d .* 2026-04-11T00:00:00\.000Z /);
  assert.match((await daemon.cli('alarm', 'list')).stdout, /s +a .*2026-01-01T00:05:00\.000Z/);
  assert.match(plain(await onTerminal(daemon, 160, 'alarm list --wide')), /s +a .*2026-01-01T00:05:00\.000Z/);
  const { alarms } = JSON.parse((await daemon.cli('alarm', 'list', '--json')).stdout);
  assert.equal(alarms.find((one) => one.key === 'a').scheduled_at, Date.parse('2026-01-01T00:05:00Z'));
});
