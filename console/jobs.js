// This file is the panel Jobs: deliveries that wait for another try, a worker, or room.
// SPDX-License-Identifier: Apache-2.0
import { at, get, post, query } from './api.js';
import { attemptList } from './attempts.js';
import { ask } from './dialog.js';
import { button, h, setText } from './dom.js';
import { ago, duration, number } from './format.js';
import { act, tell } from './notice.js';
import { go, link } from './router.js';
import { dataTable } from './table.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const LIMIT = 500;

const stateOf = (job) => (job.parked ? 'parked' : job.state);
const toneOf = (job) => (job.parked ? 'bad' : job.state === 'running' ? 'good' : 'warn');

function story(job) {
  return facts([
    ['State', [chip(stateOf(job), toneOf(job)), job.waits_for && ` waits for ${job.waits_for}`]],
    ['Because', job.because],
    ['Due', job.due && ago(job.due)], ['Since', duration(job.age_ms)],
    ['Trigger', h('a', { href: link('triggers', [job.trigger]) }, job.trigger)],
    ['Function', h('a', { href: link('functions', [job.function_id]) }, job.function_id)],
    ['Object', job.scope !== undefined && h('a', { href: link('state', [job.scope, job.key]) },
      `${job.scope} / ${job.key}`)],
    ['Event', h('a', { href: link('events', [job.seq]) }, `event ${job.seq}: why it fired`)],
    ['Delivery', h('code', job.id)],
  ]);
}

export function openJobs(main) {
  let route = { parts: [], query: {} };
  let jobs = [];
  let opened = '';
  const filter = filterField({ label: 'Filter jobs', onchange: () => draw() });
  const trigger = h('p.quiet');
  const count = h('p.quiet', { 'aria-live': 'polite' });
  const table = dataTable({
    caption: 'Jobs', key: (job) => job.id, empty: 'Nothing is owed.',
    href: (job) => link('jobs', [job.id], route.query),
    columns: [
      { title: 'Trigger', cell: (job) => job.trigger },
      { title: 'Object', kind: 'grow', cell: (job) => [h('span.quiet', job.scope, ' '), job.key] },
      { title: 'State', cell: (job) => chip(stateOf(job), toneOf(job)) },
      { title: 'Failed', kind: 'num', cell: (job) => number(job.failed_attempts) },
      { title: 'Due', kind: 'mid', cell: (job) => (job.due ? ago(job.due) : job.waits_for) },
      { title: 'Because', kind: 'grow wide', cell: (job) => job.because ?? '' },
    ],
  });
  const view = splitView(main, { title: 'Jobs', list: table.element,
    tools: [filter.element, count, trigger], back: () => link('jobs', [], route.query) });

  // The age changes at each look; it does not make a row another one.
  const rowOf = ({ age_ms: age, ...job }) => ({ ...job, age_ms: Math.round(age / 60000) * 60000 });

  function draw() {
    table.set(jobs.filter((job) => fits(job, filter.input.value)).map(rowOf));
    table.select(route.parts[0]);
  }

  async function cancel(job) {
    const done = await ask({ title: 'Give this delivery up?', action: 'Give it up', danger: true,
      text: 'It is not tried again, and there is no dead letter of it.',
      run: async () => {
        await post(at`/v1/jobs/${job.id}/cancel`);
        tell('The delivery is given up.');
        return true;
      } });
    if (done) go(link('jobs', [], route.query));
  }

  function drawOne() {
    const id = route.parts[0];
    const job = jobs.find((one) => one.id === id);
    const seen = JSON.stringify(job ? rowOf(job) : id);
    if (seen === opened) return;
    opened = seen;
    if (id === undefined) {
      view.close();
    } else if (!job) {
      view.open('Job', h('p.empty', 'It has ended meanwhile, well or as a dead letter.'),
        h('p', h('a', { href: link('dead', [id]) }, 'Look for its dead letter')));
    } else {
      const retry = button('Try it now', () => act(retry, () => post(at`/v1/jobs/${id}/retry`),
        'It is tried now.').then(look.now), { class: 'primary' });
      view.open(`${job.trigger} · ${job.key ?? ''}`, story(job),
        h('div.row', retry, button('Give it up…', () => cancel(job), { class: 'danger' })),
        attemptList(job.attempts, job.failed_attempts));
    }
  }

  const look = watchBy(async () => {
    const answer = await get(`/v1/jobs${query({ limit: LIMIT, trigger: route.query.trigger })}`);
    jobs = answer.jobs;
    setText(count, `${number(answer.total)} owed: ${number(answer.running)} running, ` +
      `${number(answer.waiting)} waiting, ${number(answer.parked)} parked`);
    draw();
    drawOne();
  }, 1);
  return {
    update(given) {
      route = given;
      trigger.replaceChildren(...(route.query.trigger
        ? [`Of trigger ${route.query.trigger}. `, h('a', { href: link('jobs') }, 'Show all')] : []));
      look.now();
      table.select(route.parts[0]);
    },
    close: look.close,
  };
}
