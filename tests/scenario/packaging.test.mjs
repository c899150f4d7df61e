// What a packager needs: the files that are installed, the unit, and what the service manager hears.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, Inbox, freePort, program, root, run, startDaemon, tempDir, test } from './lib.mjs';

const python = 'python3';

// Everything that is said to the socket of that name.
async function manager(t, name) {
  const inbox = new Inbox();
  const child = spawn(python, [path.join(root, 'tests/scenario/notify_socket.py'), name],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach((line) => inbox.put(JSON.parse(line)));
  });
  await inbox.count(1);
  inbox.says = (what, from = 0) => inbox.until(what, (all) => all.slice(from).some((one) => one.startsWith(what)));
  return inbox;
}

for (const kind of ['a path', 'the abstract namespace']) {
  test(`the service manager hears how the daemon is, by ${kind}`, async (t) => {
    const dir = tempDir(t);
    const name = kind === 'a path' ? path.join(dir, 'notify') : `@${path.basename(dir)}`;
    const heard = await manager(t, name);
    const daemon = await startDaemon(t, { functions: [{ id: 'show', exec: {
      command: ['sh', '-c', 'echo "\\"$${NOTIFY_SOCKET:-none} $${WATCHDOG_USEC:-none}\\""'] } }] },
    { NOTIFY_SOCKET: name, WATCHDOG_USEC: '100000' });
    await heard.says('READY=1');
    await heard.says('STATUS=ok');
    assert.equal(heard.items.filter((one) => one === 'READY=1').length, 1);
    await heard.until('ten beats', (all) => all.filter((one) => one === 'WATCHDOG=1').length >= 10);
    assert.equal(await daemon.call('show'), 'none none'); // nobody else speaks in its name

    let from = heard.items.length;
    daemon.process.kill('SIGHUP');
    await heard.says('RELOADING=1\nMONOTONIC_USEC=', from);
    await heard.says('READY=1', from);
    const order = heard.items.slice(from).filter((one) => !one.startsWith('WATCHDOG') && !one.startsWith('STATUS'));
    assert.deepEqual(order.map((one) => one.split('\n')[0]), ['RELOADING=1', 'READY=1']);
    from = heard.items.length;
    await daemon.call('engine::config::reload', { dry_run: true });
    await daemon.stop();
    await heard.says('STOPPING=1', from);
    assert.ok(!heard.items.slice(from).some((one) => one.startsWith('RELOADING')));
  });
}

test('a socket that is wrong or gone disturbs nobody', async (t) => {
  const wrong = await startDaemon(t, {}, { NOTIFY_SOCKET: 'relative', WATCHDOG_USEC: 'soon' });
  assert.match(wrong.log, /nobody is told how the engine is/);
  await startDaemon(t, {}, { NOTIFY_SOCKET: path.join(tempDir(t), 'nobody'), WATCHDOG_USEC: '50000' });
});

test('what is installed below a DESTDIR is whole and runs', async (t) => {
  const build = path.dirname(program);
  if (!fs.existsSync(path.join(build, 'CMakeCache.txt'))) {
    t.skip('the program is not in a build directory');
    return;
  }
  const dest = tempDir(t);
  const made = await run('cmake', ['--build', build, '--target', 'manual']);
  assert.equal(made.code, 0, made.stdout + made.stderr);
  const install = () => run('cmake', ['--install', build], { env: { ...process.env, DESTDIR: dest } });
  const done = await install();
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const prefix = /^CMAKE_INSTALL_PREFIX:PATH=(.*)$/m.exec(fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8'))[1];
  const files = fs.readdirSync(dest, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile()).map((one) => path.join(one.parentPath ?? one.path, one.name));
  const the = (end) => {
    const found = files.filter((one) => one.endsWith(end));
    assert.equal(found.length, 1, `${end}: ${found}`);
    return found[0];
  };
  assert.match(fs.readFileSync(the('man1/pawl.1'), 'utf8'), /^\.TH /m);
  the('/docs/observability.md');
  for (const script of ['bash-completion/completions/pawl', 'site-functions/_pawl', 'vendor_completions.d/pawl.fish']) {
    assert.match(fs.readFileSync(the(script), 'utf8'), /complet|compdef/);
  }
  the('/config.yaml.example');

  // The unit: what it names is there, and systemd understands it.
  const unit = the('lib/systemd/system/pawl.service');
  const text = fs.readFileSync(unit, 'utf8');
  const [, command, config] = /^ExecStart=(\S+) run --config (\S+) /m.exec(text);
  assert.equal(command, path.join(prefix, 'bin/pawl'));
  assert.ok(fs.existsSync(dest + command) && fs.existsSync(dest + config));
  const here = path.join(dest, 'pawl.service');
  fs.writeFileSync(here, text.replace(`ExecStart=${command}`, `ExecStart=${dest}${command}`));
  const judged = await run('systemd-analyze', ['verify', '--man=no', here]).catch(() => null);
  if (judged) assert.deepEqual([judged.code, judged.stderr], [0, '']);

  // A config that somebody has changed stays.
  fs.writeFileSync(dest + config, 'log: {level: warn}\n');
  assert.equal((await install()).code, 0);
  assert.equal(fs.readFileSync(dest + config, 'utf8'), 'log: {level: warn}\n');

  // An adapter is built against what was installed.
  const pc = the('/pawl.pc');
  const flags = await run('pkg-config', ['--cflags', 'pawl'],
    { env: { ...process.env, PKG_CONFIG_PATH: path.dirname(pc), PKG_CONFIG_SYSROOT_DIR: dest } });
  assert.equal(flags.code, 0, flags.stderr);
  const source = path.join(root, 'examples/adapter');
  fs.cpSync(source, path.join(dest, 'examples/adapter'), { recursive: true });
  const built = await run('cc', ['-std=c11', '-D_GNU_SOURCE', '-fPIC', '-shared', ...flags.stdout.trim().split(' '),
    `-I${dest}`, '-o', path.join(dest, 'textlog.so'), ...['textlog.c', 'table.c'].map((one) => path.join(dest, 'examples/adapter', one))]);
  assert.equal(built.code, 0, built.stderr);

  // The program runs, with that adapter.
  const daemon = new Daemon(tempDir(t), await freePort(),
    { state: { adapter: { name: 'plugin', config: { path: path.join(dest, 'textlog.so') } } } });
  daemon.command = [dest + command];
  t.after(() => daemon.stop());
  await daemon.start();
  await daemon.set('s', 'k', 1);
  assert.equal(await daemon.get('s', 'k'), 1);
});
