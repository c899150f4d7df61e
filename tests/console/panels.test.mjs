// Every panel, at both widths and in both schemes: a picture, and nothing that needs to be moved
// sideways. axe, which takes a second for each, looks at both widths and at both schemes once.
import { assertAccessible, assertNoSideways, assertWhole, narrow, picture, row, test,
  wide } from './lib.mjs';

// Where, and what has to be seen before it is judged.
const views = [
  ['overview', 'overview', '.figure:has-text("/s")'],
  ['state', 'state', '.tree a'],
  ['keys', 'state/users', 'a[data-row]:has-text("tony")'],
  ['value', 'state/users/ada', 'text=Revision'],
  ['namespace', 'state/shop%2Fcart-17/items', 'text=Revision'],
  ['events', 'events', 'a[data-row]'],
  ['event', 'events/15', '.verdict'],
  ['triggers', 'triggers', 'a[data-row]'],
  ['trigger', 'triggers/welcome-pro', '.tiles'],
  ['jobs', 'jobs', 'a[data-row]'],
  ['dead-letters', 'dead', 'a[data-row]'],
  ['alarms', 'alarms', 'a[data-row]'],
  ['alarm', 'alarms/users/ada/', 'text=Fire now'],
  ['queues', 'queues', 'a[data-row]'],
  ['queue', 'queues/mail', 'text=Enqueue'],
  ['functions', 'functions', 'a[data-row]'],
  ['function', 'functions/add/default', 'text=Invoke'],
  ['workers', 'workers', 'a[data-row]'],
];

// What opens by a click on a row.
const opened = [['job', 'jobs', 'payment-retry', '.attempts li'],
  ['dead-letter', 'dead', 'invoice-run', '.attempts li'], ['worker', 'workers', 'mailer', 'text=In flight']];

test('every panel at both widths, in both schemes', async ({ open }) => {
  for (const scheme of ['light', 'dark']) {
    for (const [size, name] of [[wide, 'wide'], [narrow, 'narrow']]) {
      const page = await open({ size, scheme });
      const isJudged = (size === wide) === (scheme === 'light');
      const judge = async (view) => {
        await picture(page, `${view}-${size.width}-${scheme}`);
        if (isJudged) await assertAccessible(page, `${view}, ${name}, ${scheme}`);
        await assertWhole(page, view);
        await assertNoSideways(page, `${view}, ${name}`);
      };
      for (const [view, where, sign] of views) {
        await page.visit(where);
        await page.locator(`main >> ${sign}`).first().waitFor();
        await judge(view);
      }
      for (const [view, where, which, sign] of opened) {
        await page.visit(where);
        await row(page, which).click();
        await page.locator(`.detail >> ${sign}`).first().waitFor();
        await judge(view);
      }
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      await judge('keys-help');
    }
  }
}, 300000);
