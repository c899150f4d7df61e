// Triggers, jobs, dead letters, alarms, queues, functions and workers, used as a person would.
import assert from 'node:assert/strict';
import { notice, picture, row, test, waitFor } from './lib.mjs';

const sure = (page, name) => page.getByRole('dialog').getByRole('button', { name }).click();

test('a trigger is paused, resumed and tried on past events', async ({ daemon, open }) => {
  const page = await open({ at: 'triggers' });
  await row(page, 'seats').click();
  await page.getByRole('button', { name: 'Pause…' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('the seats move');
  await sure(page, 'Pause');
  await notice(page, 'Paused trigger seats.');
  await page.locator('.detail').getByText('the seats move').waitFor();
  await daemon.set('users', 'ken', { seats: 100 });
  await page.getByRole('button', { name: 'Resume' }).click();
  await notice(page, 'Resumed seats.');
  await waitFor('the delivery', async () =>
    (await daemon.http('GET', '/v1/triggers/seats')).json.delivered === 3);
  await page.locator('.tiles div', { hasText: 'Delivered' }).getByText('3', { exact: true }).waitFor();

  await row(page, 'welcome-pro').click();
  await page.getByText('Test against past events').click();
  await page.getByLabel('Config to try').fill('{"scope": "users", "when": "new_value.plan == \\"pro\\""}');
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.getByText('1 of 24 events would have fired it.').waitFor();
  await page.locator('.trial').getByRole('link', { name: 'event 14' }).waitFor();
  await picture(page, 'trigger-test');
  await page.getByLabel('Config to try').fill('{"scope": "users", "when": "new_value.plan =="}');
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.locator('.trial .problem').waitFor();
});

test('a trigger is made, edited and removed', async ({ daemon, open }) => {
  const page = await open({ at: 'triggers' });
  await page.getByRole('button', { name: 'New…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Id').fill('mine');
  await dialog.getByLabel('Function').fill('welcome');
  await dialog.getByLabel('Config').fill('{"scope": "users", "when": "new_value.seats = 1"}');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('alert').getByText('write == to compare').waitFor();
  await dialog.getByLabel('Config').fill('{"scope": "users", "when": "new_value.seats == 1"}');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('heading', { name: 'mine' }).waitFor();
  await page.getByRole('button', { name: 'Edit…' }).click();
  await dialog.getByLabel('Config').fill('{"scope": "users", "when": "new_value.seats == 2"}');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.locator('.detail').getByText('new_value.seats == 2', { exact: true }).waitFor();
  assert.equal((await daemon.http('GET', '/v1/triggers/mine')).json.version, 2);
  await page.getByRole('button', { name: 'Remove…' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await row(page, 'mine').waitFor({ state: 'detached' });
  assert.equal((await daemon.http('GET', '/v1/triggers/mine')).status, 404);
});

test('only the triggers whose function nobody serves', async ({ open }) => {
  const page = await open({ at: 'overview' });
  await page.getByRole('link', { name: '1 trigger whose function nobody serves' }).click();
  await row(page, 'absent').waitFor();
  assert.equal(await page.locator('main tbody tr').count(), 1);
  await page.getByLabel('only those whose function nobody serves').uncheck();
  await row(page, 'welcome-pro').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('became');
  await waitFor('one row', async () => await page.locator('main tbody tr').count() === 1);
});

test('a job is tried now, and given up', async ({ daemon, open }) => {
  const page = await open({ at: 'jobs' });
  await row(page, 'payment-retry').click();
  await waitFor('two attempts', async () => await page.locator('.attempts li').count() === 2);
  await page.locator('.attempts').getByText('the card was declined').first().waitFor();
  await page.getByRole('button', { name: 'Try it now' }).click();
  await notice(page, 'It is tried now.');
  await waitFor('the third attempt', async () => await page.locator('.attempts li').count() === 3);
  await page.getByRole('button', { name: 'Give it up…' }).click();
  await sure(page, 'Give it up');
  await row(page, 'payment-retry').waitFor({ state: 'detached' });
  assert.deepEqual((await daemon.jobs()).map((job) => job.trigger), ['absent']);
});

test('dead letters are replayed, edited and discarded', async ({ daemon, open }) => {
  const page = await open({ at: 'dead' });
  await row(page, 'invoice-run').click();
  await page.locator('.attempts').getByText('exit code 1: no template for this plan').waitFor();
  await picture(page, 'dead-letter-open');
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await notice(page, 'It is delivered again.');
  await waitFor('it has died again', async () => (await daemon.dead()).length === 1);

  await row(page, 'invoice-run').click();
  await page.getByRole('button', { name: 'Edit and replay…' }).click();
  await page.getByRole('dialog').getByLabel('Members of the event').fill('{"new_value": {"plan": "free"}}');
  await sure(page, 'Deliver');
  await notice(page, 'It is delivered again, as it is now.');
  await waitFor('the edited one has died', async () => {
    const [letter] = await daemon.dead();
    return letter?.id.endsWith('/r1') && letter.event.new_value.plan === 'free';
  });

  await row(page, 'invoice-run').click();
  await page.getByRole('button', { name: 'Discard…', exact: true }).click();
  await sure(page, 'Discard');
  await page.getByText('There is no dead letter.').waitFor();
  assert.deepEqual(await daemon.dead(), []);
  await daemon.set('orders', 'o-2', { plan: 'x' });
  await row(page, 'invoice-run').waitFor();
  await page.getByRole('button', { name: 'Discard all…' }).click();
  await sure(page, 'Discard all');
  await page.getByText('There is no dead letter.').waitFor();
});

test('alarms stand in a calendar, and are fired and deleted', async ({ daemon, open }) => {
  const page = await open({ at: 'alarms' });
  await row(page, 'grace').waitFor();
  const days = page.locator('.calendar button.some');
  const marked = await days.count();
  assert.ok(marked >= 2, `${marked} days with alarms`);
  await days.last().click();
  await waitFor('one alarm', async () => await page.locator('.agenda').count() === 1);
  await days.last().click();
  await row(page, 'ada').click();
  await page.getByRole('button', { name: 'Fire now' }).click();
  await notice(page, 'It fires.');
  await page.getByText('It has fired or was deleted.').waitFor();
  await waitFor('the delivery', async () =>
    (await daemon.http('GET', '/v1/triggers/trial-ends')).json.delivered === 1);
  await row(page, 'grace').click();
  await page.getByText('every 1 h').first().waitFor();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await sure(page, 'Delete');
  await row(page, 'grace').waitFor({ state: 'detached' });
});

test('a function is invoked, and tells what it answers or what is wrong', async ({ open }) => {
  const page = await open({ at: 'functions' });
  await row(page, 'add').click();
  await page.getByLabel('Data').fill('{"a": 2, "b": 40}');
  await page.getByRole('button', { name: 'Invoke' }).click();
  await page.getByRole('region', { name: 'Result' }).getByText('"sum": 42').waitFor();
  await picture(page, 'invoked');
  await row(page, 'charge').click();
  await page.getByRole('heading', { name: 'charge' }).waitFor();
  await page.getByRole('button', { name: 'Invoke' }).click();
  await page.locator('.problem').getByText('the card was declined').waitFor();
  await page.getByLabel('also the engine’s own').check();
  await row(page, 'state::get_many').waitFor();
});

test('a worker is drained and resumed; a queue is paused, filled and resumed', async ({ daemon, open }) => {
  const page = await open({ at: 'workers' });
  await row(page, 'mailer').click();
  await page.getByRole('button', { name: 'Drain…' }).click();
  await sure(page, 'Drain');
  await page.locator('.detail').getByText('draining').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('.detail').getByText('connected', { exact: true }).waitFor();

  await page.visit('queues/mail');
  await page.getByRole('button', { name: 'Pause…' }).click();
  await sure(page, 'Pause');
  await notice(page, 'Paused queue mail.');
  await page.getByRole('button', { name: 'Enqueue…' }).click();
  await page.getByRole('dialog').getByLabel('Function').fill('welcome');
  await sure(page, 'Enqueue');
  await page.getByRole('button', { name: 'Resume' }).click();
  await waitFor('the call', async () =>
    (await daemon.http('GET', '/v1/queues')).json.queues.find((one) => one.queue === 'mail')
      .delivered === 2);
});
