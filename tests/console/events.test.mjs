// Live events: they come by themselves, are narrowed down, and each tells why it woke whom.
import assert from 'node:assert/strict';
import { narrow, picture, row, test, waitFor } from './lib.mjs';

test('within three clicks a person finds why a trigger did not fire', async ({ daemon, open }) => {
  for (const size of [undefined, narrow]) {
    const page = await open({ size, at: 'overview' });
    let clicks = 0;
    const click = async (target) => {
      clicks++;
      await target.click();
    };
    if (size) await click(page.getByRole('button', { name: 'Menu' }));
    await click(page.getByRole('link', { name: 'Events', exact: true }));
    await click(row(page, '15'));
    const verdict = page.locator('.verdict', { hasText: 'welcome-pro' });
    await verdict.getByText('did not fire').waitFor();
    await verdict.getByText('became("plan", "pro")').waitFor();
    await verdict.getByText('new_value.plan').waitFor();
    await verdict.getByText('"free"').waitFor();
    assert.ok(clicks <= 3, `${clicks} clicks`);
  }
  assert.ok(daemon);
});

test('events come as they happen, and only those that are wanted', async ({ daemon, open }) => {
  const page = await open({ at: 'events' });
  await row(page, '23').waitFor();
  await daemon.set('users', 'new-one', { plan: 'free' });
  await row(page, '24').waitFor();
  await page.locator('tr', { hasText: 'new-one' }).getByText('created').waitFor();

  await page.getByLabel('Scope').fill('shop/cart-17');
  await page.getByLabel('Scope').press('Enter');
  await row(page, '24').waitFor({ state: 'detached' });
  await daemon.set('users', 'unseen', 1);
  await daemon.set('shop/cart-17', 'tax', { amount: 1 });
  await row(page, '26').waitFor();
  assert.deepEqual(await page.locator('main tbody tr').evaluateAll((rows) =>
    rows.map((one) => one.dataset.key)), ['26', '17', '16']);
  await page.getByLabel('Key begins with').fill('ta');
  await row(page, '17').waitFor({ state: 'detached' });
  assert.match(page.url(), /scope=shop%2Fcart-17&prefix=ta/); // a link that can be given to others

  await page.getByRole('button', { name: 'Hold' }).click();
  await daemon.set('shop/cart-17', 'tax', { amount: 2 });
  await page.getByText('1 new event').waitFor();
  assert.equal(await page.locator('main tbody tr').count(), 1);
  await page.getByRole('button', { name: 'Go on' }).click();
  await waitFor('two rows', async () => await page.locator('main tbody tr').count() === 2);
  await page.locator('tr', { hasText: 'updated' }).getByText('{"amount":2}').waitFor();
});

test('a condition narrows the events down, and one that is wrong says where', async ({ daemon, open }) => {
  const page = await open({ at: 'events' });
  await row(page, '23').waitFor();
  await page.getByLabel('When').fill('new_value.plan == "pro"');
  await page.getByLabel('When').press('Enter');
  await row(page, '23').waitFor({ state: 'detached' });
  await daemon.set('users', 'ken', { plan: 'free' });
  await daemon.set('users', 'ken', { plan: 'pro' });
  await row(page, '25').waitFor();
  const shown = await page.locator('main tbody tr').evaluateAll((rows) =>
    rows.map((one) => one.dataset.key));
  assert.ok(shown.includes('14') && !shown.includes('24') && !shown.includes('13'), shown.join(' '));
  await page.getByLabel('When').fill('new_value.plan ==');
  await page.getByLabel('When').press('Enter');
  await page.locator('main [role="alert"] .problem').getByText('column').first().waitFor();
  await picture(page, 'wrong-condition');
});

test('nothing is missed and nothing comes twice when the engine goes away', async ({ daemon, open }) => {
  const page = await open({ at: 'events?scope=counts' });
  await page.getByText('0 events').waitFor();
  for (let i = 0; i < 3; i++) {
    for (let n = 0; n < 10; n++) await daemon.set('counts', `k${n}`, { i, n });
    if (i < 2) await daemon.restart(i ? 'SIGKILL' : 'SIGTERM');
  }
  await page.getByText('30 events').waitFor();
  const seqs = await page.locator('main tbody tr').evaluateAll((rows) =>
    rows.map((one) => Number(one.dataset.key)));
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => b - a));
  assert.equal(seqs.length, 30);
  page.faults.splice(0); // requests were cut: that was asked for
});

test('a dead letter among the events leads to its letter and to its cause', async ({ open }) => {
  const page = await open({ at: 'events?scope=orders' });
  await page.locator('tr', { hasText: 'dead letter' }).locator('a').click();
  await page.locator('.detail').getByRole('link', { name: 'event 19' }).click();
  await page.getByRole('heading', { name: 'Event 19' }).waitFor();
  await page.goBack();
  await page.locator('.detail').getByRole('link', { name: 'invoice-run' }).first().click();
  await page.locator('.attempts li').waitFor();
});

test('the keys lead through the events', async ({ open }) => {
  const page = await open({ at: 'events' });
  await row(page, '23').waitFor();
  const { keyboard } = page;
  await keyboard.press('j');
  await keyboard.press('j');
  await keyboard.press('Enter');
  await page.waitForURL(/#\/events\/22$/);
  await page.locator('.verdict').first().waitFor();
  await picture(page, 'event-by-keys');
  await keyboard.press('Escape');
  await page.waitForURL(/#\/events$/);
  await page.locator('.detail').waitFor({ state: 'hidden' });
  await keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'search');
});
