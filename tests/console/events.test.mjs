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
