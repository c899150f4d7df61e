// This file is the panel Dead letters: what was given up, why, and how it is delivered after all.
// SPDX-License-Identifier: Apache-2.0
import { at, get, post, query, remove } from './api.js';
import { attemptList } from './attempts.js';
import { ask } from './dialog.js';
import { button, h, setText } from './dom.js';
import { jsonView } from './editor.js';
import { ago, bytes, number, plural } from './format.js';
import { layOut } from './json_text.js';
import { act, problem, tell } from './notice.js';
import { go, link } from './router.js';
import { dataTable } from './table.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const LIMIT = 500;
const EDITABLE = ['new_value', 'old_value', 'payload', 'data'];

const objectOf = ({ event }) => [event?.scope, event?.key].filter(Boolean).join(' / ');

function story(letter) {
  const { event } = letter;
  return facts([
    ['Reason', chip(letter.reason, 'bad')], ['Message', letter.message],
    ['Died', ago(letter.died_at)],
    ['Trigger', h('a', { href: link('triggers', [letter.trigger]) }, letter.trigger)],
    ['Function', h('a', { href: link('functions', [letter.function_id]) }, letter.function_id)],
    ['Object', event?.scope !== undefined && h('a', { href: link('state', [event.scope, event.key]) },
      objectOf(letter))],
    ['Event', event?.seq && h('a', { href: link('events', [event.seq]) }, `event ${event.seq}: why it fired`)],
    ['Delivery', h('code', letter.id)],
  ]);
}

// Delivers it with other values; the members that are not written here stay as they were.
async function askToEdit(letter) {
  const members = EDITABLE.filter((name) => letter.event[name] !== undefined);
  const text = layOut(JSON.stringify(Object.fromEntries(members.map((name) => [name, letter.event[name]]))));
  return ask({ title: 'Edit and deliver again', action: 'Deliver',
    text: 'The trigger gets the event with these members, under a new delivery id.',
    fields: [{ name: 'event', label: 'Members of the event', type: 'json', value: text, rows: 12,
      required: true }],
    run: async ({ event }) => {
      await post(at`/v1/dead/${letter.id}/edit`, event);
      tell('It is delivered again, as it is now.');
      return true;
    } });
}

export function openDead(main) {
  let route = { parts: [], query: {} };
  let letters = [];
  let opened = null;
  const filter = filterField({ label: 'Filter dead letters', onchange: () => draw() });
  const count = h('p.quiet', { 'aria-live': 'polite' });
  const only = h('p.quiet');
  const table = dataTable({
    caption: 'Dead letters', key: (letter) => letter.id, empty: 'There is no dead letter.',
    href: (letter) => link('dead', [letter.id], route.query),
    columns: [
      { title: 'Trigger', cell: (letter) => letter.trigger },
      { title: 'Object', kind: 'grow', cell: objectOf },
      { title: 'Reason', cell: (letter) => chip(letter.reason, 'bad') },
      { title: 'Attempts', kind: 'num mid', cell: (letter) => number(letter.attempts?.length) },
      { title: 'Died', kind: 'mid', cell: (letter) => ago(letter.died_at) },
      { title: 'Message', kind: 'grow wide', cell: (letter) => letter.message },
    ],
  });
  const view = splitView(main, { title: 'Dead letters', list: table.element, tools: [filter.element,
    button('Replay all…', () => askForAll('replay')),
    button('Discard all…', () => askForAll('discard'), { class: 'danger' }), count, only],
  back: () => link('dead', [], route.query) });

  // All of the trigger that is shown, or of every trigger.
  async function askForAll(what) {
    const { trigger } = route.query;
    const which = trigger ? `of trigger ${trigger}` : 'of every trigger';
    const done = await ask({ title: `${what === 'replay' ? 'Replay' : 'Discard'} all dead letters?`,
      action: what === 'replay' ? 'Replay all' : 'Discard all', danger: what === 'discard',
      text: `${number(letters.length)} or more ${which}, also those that a filter hides.`,
      run: async () => {
        await post(`/v1/dead:${what}`, trigger ? { trigger } : { all: true });
        tell(what === 'replay' ? 'They are delivered again.' : 'They are forgotten.');
        return true;
      } });
    if (done) look.now();
  }

  function gone() {
    go(link('dead', [], route.query));
    look.now();
  }

  function actions(letter) {
    const replay = button('Replay', () => act(replay, async () => {
      await post(at`/v1/dead/${letter.id}/replay`);
      gone();
    }, 'It is delivered again.'), { class: 'primary' });
    const edit = button('Edit and replay…', async () => (await askToEdit(letter)) && gone());
    const discard = button('Discard…', async () => {
      const done = await ask({ title: 'Discard this dead letter?', action: 'Discard', danger: true,
        text: 'It is forgotten for good.',
        run: async () => {
          await remove(at`/v1/dead/${letter.id}`);
          tell('It is forgotten.');
          return true;
        } });
      if (done) gone();
    }, { class: 'danger' });
    return h('div.row', replay, letter.event && edit, h('span.gap'), discard);
  }

  async function showOne(id) {
    try {
      const letter = letters.find((one) => one.id === id) ?? await get(at`/v1/dead/${id}`);
      if (route.parts[0] !== id) return;
      view.open(`${letter.trigger} · ${letter.event?.key ?? ''}`, story(letter), actions(letter),
        attemptList(letter.attempts), letter.event && [h('h3', 'Event'),
          jsonView(letter.event, 'The event')]);
    } catch (error) {
      view.open('Dead letter', problem(error));
    }
  }

  function draw() {
    table.set(letters.filter((one) => fits(one, filter.input.value)));
    table.select(route.parts[0]);
  }

  const look = watchBy(async () => {
    const answer = await get(`/v1/dead${query({ limit: LIMIT, trigger: route.query.trigger })}`);
    letters = answer.dead;
    setText(count, `${plural(answer.total, 'letter')}, ${bytes(answer.bytes)}`);
    draw();
  });
  return {
    update(given) {
      route = given;
      only.replaceChildren(...(route.query.trigger
        ? [`Of trigger ${route.query.trigger}. `, h('a', { href: link('dead') }, 'Show all')] : []));
      const [id] = route.parts;
      if (id === undefined) view.close();
      else if (id !== opened) showOne(id);
      opened = id;
      look.now();
      table.select(id);
    },
    close: look.close,
  };
}
