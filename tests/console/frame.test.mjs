// The frame: figures that live, an engine that goes away, a token, JSON that is read as it should.
import assert from 'node:assert/strict';
import { picture, row, test, waitFor } from './lib.mjs';

const figure = (page, title) => page.locator('.chart', { hasText: title }).locator('.figure');

test('the overview lives', async ({ daemon, open }) => {
  const page = await open({ at: 'overview' });
  await page.getByText('1 dead letter to look at').waitFor();
  const stop = new AbortController();
  const writing = (async () => {
    for (let i = 0; !stop.signal.aborted; i++) await daemon.set('flags', 'busy', i);
  })();
  await waitFor('a rate of changes', async () =>
    Number((await figure(page, 'Changes').textContent()).replace(/[^\d.]/g, '')) > 10);
  await waitFor('how long commits take', async () =>
    /^≤ \d/.test(await figure(page, 'Commit').textContent()));
  await picture(page, 'overview-busy');
  stop.abort();
  await writing;
  assert.match(await page.locator('.chart svg').first().getAttribute('aria-label'), /^Changes: /);
});

test('an engine that is away is told, and one that is back', async ({ daemon, open }) => {
  const page = await open({ at: 'workers' });
  await row(page, 'mailer').waitFor();
  await page.route('**/v1/**', (route) => route.abort());
  await page.locator('.health').getByText('The engine does not answer.').waitFor();
  await picture(page, 'away');
  await page.unroute('**/v1/**');
  await page.locator('.health').getByText('running').waitFor();
  page.faults.splice(0); // requests were cut: that was asked for
  assert.ok(daemon);
});

test('a token is asked for once, kept for the tab, and sent', async ({ daemon, open }) => {
  const page = await open({ at: 'overview' });
  await page.route('**/v1/**', (route) => (route.request().headers().authorization === 'Bearer sesame'
    ? route.continue()
    : route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({
      status: 401, code: 'token_needed', detail: 'This engine wants a token.' }) })));
  const dialog = page.getByRole('dialog', { name: 'Token' });
  await dialog.getByText('This engine wants a token.').waitFor();
  await picture(page, 'token');
  await dialog.getByLabel('Token').fill('wrong');
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await dialog.getByLabel('Token').fill('sesame');
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('.health').getByText('running').waitFor();
  await page.visit('state/users');
  await row(page, 'ada').waitFor();
  assert.deepEqual(await page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }]),
    [{ 'pawl-token': 'sesame' }, {}]);
  assert.ok(daemon);
});

test('with a token of the engine everything works; one of small rights sees what it may', async ({ daemon, open }) => {
  const make = async (name, rights, headers) =>
    (await daemon.http('POST', '/v1/tokens', { name, rights }, headers)).json.token;
  const all = await make('root', { read: ['*'], write: ['*'], admin: ['*'], invoke: ['*'],
    work: ['*'], manage: ['all'] });
  const small = await make('small', { read: ['users'] }, { authorization: `Bearer ${all}` });
  const page = await open({ at: 'events' });
  const dialog = page.getByRole('dialog', { name: 'Token' });
  await dialog.getByLabel('Token').fill(all);
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await row(page, '23').waitFor();
  await daemon.http('PUT', '/v1/state/users/by-token', { n: 1 }, { authorization: `Bearer ${all}` });
  await row(page, '24').waitFor(); // the stream has it, too
  await page.visit('overview');
  await page.getByText('1 dead letter to look at').waitFor();
  await waitFor('figures', async () => /\d/.test(await figure(page, 'Owed').textContent()));

  const other = await open({ at: 'state/users' });
  const second = other.getByRole('dialog', { name: 'Token' });
  await second.getByLabel('Token').fill(small);
  await second.getByRole('button', { name: 'Use it' }).click();
  await row(other, 'ada').waitFor();
  await other.getByRole('alert').getByText('forbidden').first().waitFor(); // the list of all scopes
  await other.getByText('The scopes cannot be listed.').waitFor();
  await picture(other, 'small-rights');
  await other.visit('events?scope=users');
  await other.getByText('0 events').waitFor();
  await daemon.http('PUT', '/v1/state/users/by-token', { n: 2 }, { authorization: `Bearer ${all}` });
  await row(other, '25').waitFor();
});

test('who gives no token is not asked again and again', async ({ open }) => {
  const page = await open({ at: 'workers' });
  let asked = 0;
  await page.route('**/v1/**', (route) => {
    asked++;
    return route.fulfill({ status: 401, contentType: 'application/problem+json',
      body: JSON.stringify({ status: 401, code: 'unauthorized', detail: 'This engine wants a token.' }) });
  });
  const dialog = page.getByRole('dialog', { name: 'Token' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.health').getByText('This engine wants a token.').waitFor();
  const before = asked;
  assert.equal(await dialog.count(), 0);
  await page.unroute('**/v1/**');
  await page.getByRole('button', { name: 'Token', exact: true }).click();
  await dialog.getByLabel('Token').fill('sesame');
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await page.locator('.health').getByText('running').waitFor();
  assert.ok(before < 10, `${before} requests`);
});

test('JSON is judged as the browser judges it, and laid out without a loss', async ({ open }) => {
  const page = await open({ at: 'overview' });
  const [differences, laidOut] = await page.evaluate(async () => {
    const { fault, layOut } = await import('/console/json_text.js');
    const seeds = ['{"a":[1,2.50,-0,1e400,{"b":"x\\u00e9\\n"}],"":null}', '[]', '{}', ' "x" ', 'true',
      '[[[]]]', '-1.5E+10', '[1,]', '{"a":1,}', '01', '1.', '.5', '"\\x"', 'nul', '[1 2]', '{"a" 1}', '"',
      '{a:1}', "{'a':1}", '\u00a01', 'NaN', '+1', '[1]]', ''];
    const letters = '{}[]",:0123456789.eE+-\\utrfalsn \n\t';
    let random = 7;
    const next = (below) => {
      random = (random * 1103515245 + 12345) % 2147483648;
      return Math.floor((random / 2147483648) * below);
    };
    const cases = [...seeds];
    for (let i = 0; i < 20000; i++) {
      const text = cases[next(seeds.length)];
      const at = next(text.length + 1);
      cases.push(text.slice(0, at) + letters[next(letters.length)] + text.slice(at + next(2)));
    }
    const isJson = (text) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const wrong = cases.filter((text) => (fault(text) === null) !== isJson(text));
    const changed = cases.filter((text) => isJson(text) &&
      layOut(text).replace(/\s/g, '') !== text.replace(/\s/g, ''));
    return [[...wrong, ...changed].slice(0, 5), layOut('{"n":12345678901234567890,"m":1.50}')];
  });
  assert.deepEqual(differences, []);
  assert.equal(laidOut, '{\n  "n": 12345678901234567890,\n  "m": 1.50\n}');
});
