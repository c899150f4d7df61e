// This file is the panel Alarms: what is to come, day by day, and what has failed.
// SPDX-License-Identifier: Apache-2.0
import { get, query } from './api.js';
import { alarmName, askForAlarm, askToDeleteAlarm, fireAlarm, plan } from './alarm_form.js';
import { jsonView } from './editor.js';
import { button, h, refill, setText } from './dom.js';
import { ago, clock, day, millis, moment, number, plural } from './format.js';
import { act } from './notice.js';
import { go, link } from './router.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const PAGE = 500;
const DAYS = 28;
const DAY_MS = 86400e3;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const idOf = ({ scope, key, name }) => [scope, key, name];
const isSame = (alarm, parts) => parts.length === 3 && idOf(alarm).every((one, i) => one === parts[i]);

function dayTitle(date) {
  const now = Date.now();
  const name = date === day(now) ? 'Today' : date === day(now + DAY_MS) ? 'Tomorrow' : '';
  const long = new Date(`${date}T12:00:00`).toLocaleDateString('en',
    { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  return name ? `${name}, ${long}` : long;
}

// Four weeks from the Monday of this one: how many alarms each day has.
function calendar(counts, chosen, onchoose) {
  const today = new Date();
  today.setHours(12, 0, 0, 0);
  const monday = today.getTime() - ((today.getDay() + 6) % 7) * DAY_MS;
  const cells = Array.from({ length: DAYS }, (none, i) => {
    const date = day(monday + i * DAY_MS);
    const count = counts.get(date) ?? 0;
    return h('td', button([h('span', { 'aria-hidden': 'true' }, String(Number(date.slice(8)))),
      h('strong', { 'aria-hidden': 'true' }, count ? number(count) : ''),
      h('span.unseen', `${dayTitle(date)}: ${plural(count, 'alarm')}`)],
    () => onchoose(date === chosen ? '' : date), {
      class: `day ${count ? 'some' : ''} ${date === day(Date.now()) ? 'today' : ''}`,
      'aria-pressed': String(date === chosen) }));
  });
  const weeks = Array.from({ length: DAYS / 7 }, (none, i) => h('tr', cells.slice(7 * i, 7 * i + 7)));
  return h('table.calendar', h('caption.unseen', 'Alarms of four weeks'),
    h('thead', h('tr', WEEKDAYS.map((name) => h('th', { scope: 'col' }, name)))), h('tbody', weeks));
}

function alarmRow(alarm, current, filters) {
  return h('li', h('a.agenda', { href: link('alarms', idOf(alarm), filters), 'data-row': true,
    'aria-current': isSame(alarm, current) && 'true' },
  h('time', { datetime: new Date(millis(alarm.scheduled_at)).toISOString() }, clock(alarm.scheduled_at)),
  h('span.grow', h('span.quiet', alarm.scope, ' '), alarm.key, alarm.name && h('em', ` ${alarm.name}`)),
  alarm.state === 'scheduled' ? h('span.quiet', plan(alarm))
    : chip(alarm.state, alarm.state === 'failed' ? 'bad' : 'warn')));
}

export function openAlarms(main) {
  let route = { parts: [], query: {} };
  let alarms = null;
  let isMore = false;
  let drawn = '';
  let opened = '';
  const month = h('div');
  const agenda = h('div', h('p.empty', 'Looking…'));
  const count = h('p.quiet', { 'aria-live': 'polite' });
  const filter = filterField({ label: 'Filter alarms', onchange: () => draw() });
  const view = splitView(main, { title: 'Alarms', list: h('div.when', month, agenda),
    tools: [filter.element,
      button('Set an alarm…', async () => (await askForAlarm()) && look.now()), count],
    back: () => link('alarms', [], route.query) });

  function byDay(list) {
    const days = new Map();
    for (const alarm of list) {
      const date = day(alarm.scheduled_at);
      days.set(date, [...(days.get(date) ?? []), alarm]);
    }
    return days;
  }

  function draw() {
    if (alarms === null) return;
    const shown = alarms.filter((one) => fits(one, filter.input.value))
      .toSorted((a, b) => millis(a.scheduled_at) - millis(b.scheduled_at));
    const days = byDay(shown);
    const chosen = route.query.day ?? '';
    const now = JSON.stringify([shown, chosen, route.parts, day(Date.now())]);
    if (now === drawn) return;
    drawn = now;
    refill(month, calendar(new Map([...days].map(([date, list]) => [date, list.length])), chosen,
      (date) => go(link('alarms', route.parts, { day: date }))));
    const sections = [...days].filter(([date]) => !chosen || date === chosen).map(([date, list]) =>
      h('section', h('h2', dayTitle(date)), h('ul.agenda-list', list.map((one) =>
        alarmRow(one, route.parts, route.query)))));
    refill(agenda, sections.length ? sections
      : h('p.empty', chosen ? 'No alarm on this day.' : 'No alarm is set.'));
    setText(count, isMore ? `the first ${number(alarms.length)}` : plural(alarms.length, 'alarm'));
  }

  function drawOne() {
    const alarm = alarms.find((one) => isSame(one, route.parts));
    const seen = JSON.stringify([alarm, route.parts]);
    if (seen === opened) return;
    opened = seen;
    if (route.parts.length < 3) {
      view.close();
    } else if (!alarm) {
      view.open('Alarm', h('p.empty', 'It has fired or was deleted.'));
    } else {
      openAlarm(alarm);
    }
  }

  function openAlarm(alarm) {
    const { scope, key } = alarm;
    const fire = button('Fire now', () => act(fire, () => fireAlarm(alarm), 'It fires.').then(look.now),
      { class: 'primary' });
    view.open(alarmName(alarm), facts([
      ['Object', h('a', { href: link('state', key ? [scope, key] : [scope]) },
        [scope, key].filter(Boolean).join(' / '))],
      ['State', chip(alarm.state, alarm.state === 'failed' ? 'bad' : 'good')],
      ['Fires', [ago(alarm.scheduled_at), ' · ', moment(alarm.scheduled_at)]],
      ['Plan', plan(alarm)], ['Function', alarm.function_id],
      ['Has fired', alarm.firings ? plural(alarm.firings, 'time') : ''],
      ['Failure', alarm.failure && (alarm.failure.message ?? JSON.stringify(alarm.failure))],
    ]), h('div.row', fire, button('Set it again…', async () => (await askForAlarm(alarm)) && look.now()),
      h('span.gap'), button('Delete…', async () => (await askToDeleteAlarm(alarm)) && look.now(),
        { class: 'danger' })),
    alarm.payload !== null && [h('h3', 'Payload'), jsonView(alarm.payload, 'Payload')]);
  }

  const look = watchBy(async () => {
    const { alarms: list, cursor } = await get(`/v1/alarms${query({ limit: PAGE })}`);
    [alarms, isMore] = [list, Boolean(cursor)];
    draw();
    drawOne();
  });
  return {
    update(given) {
      route = given;
      draw();
      if (alarms) drawOne();
    },
    close: look.close,
  };
}
