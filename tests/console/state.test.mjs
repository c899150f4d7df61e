// The state browser: by keyboard alone, editing, who else has written, alarms of an object.
import assert from 'node:assert/strict';
import { notice, picture, row, test, waitFor } from './lib.mjs';

const value = async (daemon, where) => (await daemon.http('GET', `/v1/state/${where}`)).text;
const editor = (page) => page.getByLabel('Value', { exact: true });

test('the state is walked, filtered and edited without a mouse', async ({ daemon, open }) => {
  const page = await open({ at: 'overview' });
  const { keyboard } = page;
  await keyboard.press('g');
  await keyboard.press('s');
  await row(page, 'users').waitFor();
  for (let i = 0; i < 4; i++) await keyboard.press('j'); // flags, orders, payments, users
  await keyboard.press('k');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'users', exact: true }).waitFor();
  await row(page, 'tony').waitFor();

  await keyboard.press('/');
  await keyboard.type('gra');
  await row(page, 'tony').waitFor({ state: 'detached' });
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await page.waitForURL(/#\/state\/users\/grace$/);
  await editor(page).waitFor();

  await editor(page).focus();
  await keyboard.press('Control+A');
  await keyboard.type('{"plan": "pro"}');
  await keyboard.press('Control+S');
  await notice(page, 'Saved grace.');
  assert.deepEqual(JSON.parse(await value(daemon, 'users/grace')), { plan: 'pro' });

  await keyboard.press('Escape'); // leaves the field,
  await keyboard.press('Escape'); // closes the value
  await page.waitForURL(/#\/state\/users$/);
});

test('what is no JSON is shown with its place, and is not saved', async ({ daemon, open }) => {
  const page = await open({ at: 'state/users/ada' });
  await page.getByText('Revision').waitFor();
  const before = await value(daemon, 'users/ada');
  await editor(page).fill('{\n  "plan": "pro",\n  seats: 3\n}');
  await page.getByText('Line 3, column 3: a name in quotes must stand here').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled());
  await page.getByRole('button', { name: 'Go to the mistake' }).click();
  assert.equal(await editor(page).evaluate((area) => area.value.slice(area.selectionStart,
    area.selectionEnd)), 's');
  await picture(page, 'no-json');
  await page.getByRole('button', { name: 'Revert' }).click();
  await page.getByText('Valid JSON').waitFor();
  assert.equal(await value(daemon, 'users/ada'), before);
});

test('a value that somebody else changes is never overwritten unseen', async ({ daemon, open }) => {
  const page = await open({ at: 'state/users/alan' });
  await page.getByText('Revision').waitFor();

  // Not edited: it follows.
  await daemon.set('users', 'alan', { plan: 'free', seats: 100 });
  await waitFor('the new value to be seen', async () => (await editor(page).inputValue()).includes('100'));

  // Edited: both are shown, however it was noticed.
  await editor(page).fill('{"plan": "mine"}');
  await daemon.set('users', 'alan', { plan: 'theirs' });
  const conflict = page.getByRole('alert').filter({ hasText: 'Somebody else has changed this value' });
  await conflict.waitFor();
  await conflict.getByText('"theirs"').waitFor();
  await conflict.getByText('"mine"').waitFor();
  await picture(page, 'conflict');
  await page.getByRole('button', { name: 'Save mine over it' }).click();
  await notice(page, 'Saved alan.');
  assert.deepEqual(JSON.parse(await value(daemon, 'users/alan')), { plan: 'mine' });

  // The engine says so when the page has not noticed yet.
  await page.route('**/v1/state/users/alan', (route) =>
    (route.request().method() === 'GET' && route.request().headers()['if-none-match']
      ? route.fulfill({ status: 304 }) : route.continue()));
  await editor(page).fill('{"plan": "mine again"}');
  await daemon.set('users', 'alan', { plan: 'theirs again' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await conflict.getByText('"theirs again"').waitFor();
  await page.getByRole('button', { name: 'Take theirs' }).click();
  assert.match(await editor(page).inputValue(), /theirs again/);
  assert.deepEqual(JSON.parse(await value(daemon, 'users/alan')), { plan: 'theirs again' });
});

test('large numbers stay as they are; pages; values are made and deleted', async ({ daemon, open }) => {
  const big = '{"id":12345678901234567890,"ratio":1.50,"text":"<b>not bold</b>"}';
  await daemon.http('PUT', '/v1/state/big/one', big);
  await daemon.http('POST', '/v1/state:transact', { ops: Array.from({ length: 120 }, (none, i) =>
    ({ type: 'set', scope: 'many', key: `k${String(i).padStart(3, '0')}`, value: i })) });
  const page = await open({ at: 'state/big/one' });
  await page.getByText('Revision').waitFor();
  await editor(page).fill((await editor(page).inputValue()).replace('not bold', 'still not'));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await notice(page, 'Saved one.');
  assert.match(await value(daemon, 'big/one'), /"id":\s*12345678901234567890,\s*"ratio":\s*1\.50/);
  await page.getByRole('link', { name: 'Its events' }).click();
  await page.locator('main a[data-row]').first().click();
  await page.locator('.detail').getByText('12345678901234567890').first().waitFor();
  assert.equal(await page.locator('main b').count(), 0);

  await page.visit('state/many');
  await row(page, 'k099').waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await row(page, 'k119').waitFor();
  await page.getByText('101 to 120').waitFor();
  await page.getByRole('button', { name: 'Previous' }).click();
  await row(page, 'k000').waitFor();

  await page.getByRole('button', { name: 'New…' }).click();
  const dialog = page.getByRole('dialog', { name: 'New value' });
  await dialog.getByLabel('Key').fill('k000');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('alert').getByText('rev_conflict').waitFor(); // it is there already
  await dialog.getByLabel('Key').fill('a/b 100%');
  await dialog.getByLabel('Expires after').fill('1h');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.waitForURL(/#\/state\/many\/a%2Fb%20100%25$/);
  await page.locator('.detail').getByText('Expires').waitFor();
  assert.equal(await value(daemon, 'many/a%2Fb%20100%25'), '{}');
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await notice(page, 'Deleted a/b 100%.');
  assert.equal((await daemon.http('GET', '/v1/state/many/a%2Fb%20100%25')).status, 404);
}, 90000);

test('alarms of an object are set, shown, fired and deleted', async ({ daemon, open }) => {
  const alarms = async () => (await daemon.http('GET', '/v1/alarms?scope=users&prefix=ken')).json.alarms;
  const page = await open({ at: 'state/users/ken' });
  await page.getByRole('button', { name: 'Set an alarm…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set an alarm' });
  await dialog.getByLabel('Name').fill('reminder');
  await dialog.getByLabel('Delay, time, period or expression').fill('soon');
  await dialog.getByRole('button', { name: 'Set it' }).click();
  await dialog.getByRole('alert').waitFor(); // what was written is still there
  await dialog.getByLabel('Delay, time, period or expression').fill('2d');
  await dialog.getByLabel('Payload').fill('{"n": 9007199254740993}');
  await dialog.getByRole('button', { name: 'Set it' }).click();
  await page.locator('.alarms-of').getByText('reminder').waitFor();
  await page.locator('.alarms-of').getByText('9007199254740993').waitFor();
  assert.equal((await alarms())[0].name, 'reminder');
  await page.locator('.alarms-of').getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.locator('.alarms-of').getByText('None.').waitFor();
  assert.deepEqual(await alarms(), []);
});
