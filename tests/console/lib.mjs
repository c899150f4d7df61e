// Shared by all tests of the console: a browser, pages that must stay without a fault, pictures.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { root, test as scenario } from '../scenario/lib.mjs';
import { startWorld } from './world.mjs';

export { waitFor } from '../scenario/lib.mjs';

const shots = path.join(root, 'build/console-shots');
const DEADLINE_MS = 15000;
// That the engine refuses something is its answer, no fault of the page.
const REFUSAL = /status of [45]\d\d .*\/v1\//;
export const wide = { width: 1600, height: 900 };
export const narrow = { width: 400, height: 800 };

async function openPage(browser, daemon, { size = wide, scheme = 'light', at = '' }) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme,
    reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.stack));
  page.on('console', (message) => {
    const text = `${message.text()} (${message.location().url})`;
    if (message.type() === 'error' && !REFUSAL.test(text)) page.faults.push(text);
  });
  page.visit = (where) => page.goto(`${daemon.url}/#/${where}`);
  await page.visit(at);
  await page.locator('#nav').waitFor({ state: 'attached' });
  return page;
}

// A test with an engine and a browser of its own. In the pages that it opens nothing may go wrong:
// no exception, nothing that the content policy refuses, no missing file.
export const test = (name, fn, timeout) => scenario(name, async (t) => {
  const daemon = await startWorld(t);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  const pages = [];
  const open = async (options = {}) => {
    pages.push(await openPage(browser, daemon, options));
    return pages.at(-1);
  };
  try {
    await fn({ t, daemon, open });
    assert.deepEqual(pages.flatMap((page) => page.faults), []);
  } catch (error) {
    for (const [i, page] of pages.entries()) await picture(page, `failed-${i}`).catch(() => {});
    throw error;
  } finally {
    await browser.close();
  }
}, timeout);

export async function picture(page, name) {
  fs.mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: path.join(shots, `${name}.png`) });
}

// What would keep people out.
export async function assertAccessible(page, what) {
  await page.evaluate(`${axe.source}; undefined`);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document,
    { resultTypes: ['violations'] }));
  const grave = violations.filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${what}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.html).join(' ; ')}`);
  assert.deepEqual(grave, []);
}

export async function assertNoSideways(page, what) {
  const [needs, has] = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(needs <= has, `${what} is ${needs} wide where there are ${has}`);
}

// Nothing that a program forgot to say.
export async function assertWhole(page, what) {
  const text = await page.locator('main').innerText();
  assert.doesNotMatch(text, /NaN|undefined|\[object/, `${what}: ${text}`);
}

export const notice = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
export const row = (page, name) => page.locator('a[data-row]', { hasText: name }).first();
