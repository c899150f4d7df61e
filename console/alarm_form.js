// This file sets, shows and deletes alarms of an object.
// SPDX-License-Identifier: Apache-2.0
import { at, get, query, remove, send } from './api.js';
import { ask } from './dialog.js';
import { button, fill, h } from './dom.js';
import { ago, brief, duration } from './format.js';
import { act, tell, tellProblem } from './notice.js';
import { chip } from './view.js';

const WHEN = [['delay', 'After a delay (30m, 14d)'], ['at', 'At a time (2030-01-31T12:00:00Z)'],
  ['every', 'Again and again (1h)'], ['cron', 'By a cron expression (0 9 * * MON-FRI)']];

export function plan(alarm) {
  if (alarm.cron) return `cron ${alarm.cron}${alarm.zone ? ` (${alarm.zone})` : ''}`;
  return alarm.every_ms ? `every ${duration(alarm.every_ms)}` : 'once';
}

export const alarmName = ({ name }) => name || '(no name)';

const pathOf = ({ scope, key, name }) =>
  at`/v1/alarms/${scope}` + (key ? at`/${key}` : '') + query({ name });

// Sets an alarm, and answers whether it was done.
export const askForAlarm = ({ scope = '', key = '', name = '' } = {}) => ask({
  title: 'Set an alarm', action: 'Set it',
  fields: [
    { name: 'scope', label: 'Scope', value: scope, required: true },
    { name: 'key', label: 'Key', value: key, hint: 'Empty: the scope as a whole.' },
    { name: 'name', label: 'Name', value: name, hint: 'An object has one alarm of each name.' },
    { name: 'kind', label: 'When', type: 'select', options: WHEN, value: 'delay' },
    { name: 'time', label: 'Delay, time, period or expression', value: '30m', required: true },
    { name: 'zone', label: 'Zone', placeholder: 'Europe/Berlin', hint: 'For cron; empty: UTC.' },
    { name: 'payload', label: 'Payload', type: 'json', rows: 3 },
  ],
  run: async ({ kind, time, zone, payload, ...place }) => {
    const said = JSON.stringify({ [kind]: time, ...(kind === 'cron' && zone ? { zone } : {}) });
    const body = payload ? `${said.slice(0, -1)},"payload":${payload}}` : said;
    await send('PUT', pathOf(place), { body });
    tell('The alarm is set.');
    return true;
  },
});

export async function askToDeleteAlarm(alarm) {
  return ask({ title: 'Delete the alarm?', action: 'Delete', danger: true,
    text: `${alarmName(alarm)} of ${alarm.scope} ${alarm.key}: it will not fire.`,
    run: async () => {
      await remove(pathOf(alarm));
      tell('The alarm is deleted.');
      return true;
    } });
}

export const fireAlarm = ({ scope, key, name }) =>
  send('POST', '/v1/alarms:fire', { body: { scope, key, name } });

// The alarms of one object, with what can be done to them.
export function alarmSection(scope, key) {
  const list = h('div');
  async function look() {
    try {
      const { alarms } = await get(`/v1/alarms${query({ scope, prefix: key, limit: 100 })}`);
      draw(alarms.filter((one) => one.key === key));
    } catch (error) {
      tellProblem(error);
    }
  }

  function row(alarm) {
    const fire = button('Fire now', () => act(fire, () => fireAlarm(alarm), 'It fires.').then(look));
    return h('li', h('span.grow', h('strong', alarmName(alarm)), ' ', ago(alarm.scheduled_at),
      h('span.quiet', ` · ${plan(alarm)}`), alarm.state !== 'scheduled' && chip(alarm.state, 'warn'),
      alarm.payload !== null && h('code.block', brief(alarm.payload))), fire,
    button('Delete…', async () => (await askToDeleteAlarm(alarm)) && look()));
  }

  function draw(alarms) {
    fill(list, alarms.length ? h('ul.lines', alarms.map(row)) : h('p.quiet', 'None.'));
  }

  const element = h('section.alarms-of', h('div.head', h('h3', 'Alarms'),
    button('Set an alarm…', async () => (await askForAlarm({ scope, key })) && look())), list);
  return { element, look };
}
