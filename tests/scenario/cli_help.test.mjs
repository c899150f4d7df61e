// What the table of commands is turned into: help, the manual page, docs/cli.md, completion.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePort, program, root, run, startDaemon, tempDir, test } from './lib.mjs';

const has = (name) => (process.env.PATH ?? '').split(':').some((dir) => fs.existsSync(path.join(dir, name)));
const pawl = (...args) => run(program, args, { cwd: root });
const table = () => execFileSync(program, ['check', '--print-commands'], { encoding: 'utf8' })
  .trim().split('\n').map((line) => JSON.parse(line));

test('help lists every command and every option of the table', async () => {
  const { stdout: all } = await pawl('--help');
  for (const { command, args, help, options } of table()) {
    assert.ok(all.includes(`  ${command} ${args}`.trimEnd()), command);
    assert.ok(all.includes(help), help);
    const twoWays = [['help', ...command.split(' ')], [...command.split(' '), '--help']];
    for (const words of command.includes(' ') ? twoWays.slice(1) : twoWays.slice(0, 1)) {
      const one = await pawl(...words);
      assert.equal(one.code, 0);
      assert.ok(one.stdout.startsWith(`usage: pawl ${command} `), one.stdout);
      for (const option of options) {
        assert.ok(one.stdout.includes(`--${option.name} ${option.value}`.trimEnd()), option.name);
      }
    }
  }
  const topic = (await pawl('help', 'dead')).stdout;
  assert.match(topic, /dead replay-all/);
  assert.doesNotMatch(topic, /workers/);
});

test('what is typed wrongly is answered with the nearest name, and exit code 2', async () => {
  for (const [line, hint] of [
    [['trigers'], /did you mean "pawl triggers"/], [['dead', 'lsit'], /`pawl help dead`/],
    [['sett', 's', 'k', '1'], /did you mean "pawl set"/], [['jobs', '--limt', '3'], /did you mean --limit/],
    [['trigger', 'pause', 'x', '--mode', 'holf'], /hold\|drop/], [['status', '--color', 'red'], /auto\|always\|never/],
    [['help', 'fly'], /no command "fly"/], [[], /--help/],
  ]) {
    const result = await pawl(...line);
    assert.equal(result.code, 2, line.join(' '));
    assert.match(result.stderr, hint);
    assert.equal(result.stdout, '');
  }
});

test('options: both spellings of a dash, =, a letter, and -- before what looks like one', async (t) => {
  const daemon = await startDaemon(t);
  assert.equal((await daemon.cli('functions', '--include_internal', '--json')).code, 0);
  assert.equal((await daemon.cli('functions', '--include-internal', '--json')).code, 0);
  assert.equal((await daemon.cli('set', 's', '--', '--key', '1')).code, 0);
  assert.equal((await daemon.cli('get', 's', '--', '--key')).stdout, '1\n');
});

test('docs/cli.md says what the table says', async () => {
  const docs = fs.readFileSync(path.join(root, 'docs/cli.md'), 'utf8');
  const { stdout } = await pawl('check', '--print-cli-docs');
  assert.equal(docs.split('<!-- commands -->\n\n')[1], stdout,
    'write it again: pawl check --print-cli-docs behind the line <!-- commands -->');
});

test('the manual page has every command, and man has nothing to warn of', async (t) => {
  const file = path.join(tempDir(t), 'pawl.1');
  const page = (await pawl('check', '--print-man')).stdout;
  fs.writeFileSync(file, page);
  for (const { command } of table()) {
    assert.ok(page.includes(`\\fBpawl ${command.replaceAll('-', '\\-')}\\fR`), command);
  }
  for (const title of ['OPTIONS', 'ENVIRONMENT', 'EXIT STATUS', 'FILES', 'EXAMPLES']) {
    assert.match(page, new RegExp(`\\.SH ${title}\\n`));
  }
  if (has('groff')) {
    const checked = await run('groff', ['-man', '-ww', '-Tutf8', '-z', file]);
    assert.deepEqual([checked.code, checked.stderr], [0, '']);
  }
  if (has('mandoc')) {
    const checked = await run('mandoc', ['-Tlint', '-W', 'warning', file]);
    assert.equal(checked.code, 0, checked.stdout);
  }
});

// What bash offers for this line, with the cursor at its end.
async function bash(line, env = {}) {
  const script = `source <("$1" completion bash)
COMP_LINE=$2 COMP_POINT=\${#2}; read -ra COMP_WORDS <<<"$2"; COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
complete -p pawl >/dev/null || exit 9
_pawl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const result = await run('bash', ['-c', script, 'bash', program, line.replace(/^pawl/, program)],
    { env: { ...process.env, ...env }, cwd: root });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, '');
  return result.stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands, options, words and files', async () => {
  assert.deepEqual(await bash('pawl tri'), ['triggers', 'trigger']);
  assert.ok((await bash('pawl ')).includes('help'));
  assert.deepEqual(await bash('pawl trigger p'), ['pause']);
  assert.deepEqual(await bash('pawl help dead sh'), ['show']);
  assert.deepEqual(await bash('pawl trigger pause x --m'), ['--mode']);
  assert.deepEqual(await bash('pawl trigger pause x --mode '), ['hold', 'drop']);
  assert.deepEqual(await bash('pawl trigger pause x --mode=h'), ['hold']);
  assert.deepEqual(await bash('pawl trigger pause x --mode hold --mo'), []);
  assert.deepEqual(await bash('pawl completion z'), ['zsh']);
  assert.deepEqual(await bash('pawl run --config config.y'), ['config.yaml.example']);
});

test('bash completes what the engine knows; without one it offers nothing and says nothing', async (t) => {
  const daemon = await startDaemon(t, { functions: [{ id: 'mail::send', exec: { command: ['cat'] } }],
    triggers: [{ id: 'one', scope: 's', function: 'mail::send' }, { id: 'two', scope: 's', function: 'mail::send' }] });
  await daemon.set('users', 'ada', 1);
  await daemon.set('users', 'bob x', 1);
  await daemon.set('evil', 'a\tb', 1);
  const env = { PAWL_URL: daemon.url };
  assert.deepEqual(await bash('pawl trigger pause t', env), ['two']);
  assert.deepEqual(await bash('pawl jobs --trigger=', env), ['one', 'two']);
  assert.deepEqual(await bash('pawl invoke mail::s', env), ['send']);
  assert.deepEqual(await bash('pawl get us', env), ['users']);
  assert.deepEqual(await bash('pawl get users ', env), ['ada', 'bob\\ x']);
  assert.deepEqual(await bash('pawl get evil ', env), []);
  const { id } = JSON.parse((await daemon.cli('enqueue', 'default', 'mail::send', '1', '--delay', '9h', '--json')).stdout);
  assert.deepEqual(await bash('pawl scheduled show ', env), [id]);
  assert.deepEqual(await bash(`pawl get --url ${daemon.url} us`), ['users']);
  assert.deepEqual(await bash('pawl trigger pause ', { PAWL_URL: `http://127.0.0.1:${await freePort()}` }), []);
});

test('zsh and fish offer the same, with what each is', async (t) => {
  const dir = tempDir(t);
  fs.symlinkSync(program, path.join(dir, 'pawl'));
  const env = { ...process.env, PATH: `${dir}:${process.env.PATH}` };
  const scripts = {
    zsh: (file) => `compdef() { }; _describe() { print -rl -- "\${candidates[@]}" }; source ${file}
words=(pawl trigger p); CURRENT=3; _pawl; words=(pawl trigger pause x --mode ''); CURRENT=6; _pawl`,
    fish: (file) => `source ${file}; complete -C 'pawl trigger p'; complete -C 'pawl trigger pause x --mode '`,
  };
  for (const shell of ['zsh', 'fish']) {
    const script = await pawl('completion', shell);
    assert.equal(script.code, 0);
    const file = path.join(dir, shell);
    fs.writeFileSync(file, script.stdout);
    if (!has(shell)) {
      t.diagnostic(`${shell} is not installed: its script is not run`);
      continue;
    }
    const offered = await run(shell, ['-c', scripts[shell](file)], { env });
    assert.equal(offered.stderr, '');
    const lines = offered.stdout.trim().split('\n');
    assert.match(lines[0], /^pause[:\t]Let a trigger start nothing more/);
    assert.deepEqual(lines.slice(1).sort(), ['drop', 'hold']);
  }
  assert.equal((await pawl('completion', 'tcsh')).code, 2);
});
