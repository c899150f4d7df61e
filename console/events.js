// This file is the panel Events: changes as they happen, and the story of each.
// SPDX-License-Identifier: Apache-2.0
import { at, get } from './api.js';
import { seqOf } from './attempts.js';
import { button, fill, h, setText } from './dom.js';
import { jsonView } from './editor.js';
import { explanation } from './explain.js';
import { follow, readEvent } from './feed.js';
import { brief, moment, number, plural } from './format.js';
import { problem } from './notice.js';
import { onBeat, pulse } from './pulse.js';
import { go, link } from './router.js';
import { dataTable } from './table.js';
import { chip, facts, filterField, splitView } from './view.js';

const PAST = 200; // events before now that are looked at at first,
const FAR_PAST = 10000; // and where only some of them are wanted
const KEPT = 500;
const TONES = { created: 'good', deleted: 'bad', 'dead letter': 'bad', 'alarm failed': 'bad' };

function kindOf({ type, event_type: kind = type }) {
  if (type === 'dead') return 'dead letter';
  return type === 'state' ? kind.split(':').at(-1) : kind.replace(':', ' ');
}

const placeOf = (event) => event.scope ?? event.queue ?? event.topic ?? event.source ?? event.trigger;

// The members that differ, or the whole value: what a glance can take in.
function difference({ old_value: before, new_value: after, ...event }) {
  if (event.dead) return `${event.dead.reason}: ${event.dead.message}`;
  if (before === undefined && after === undefined) return brief(event.payload ?? event.data);
  const areObjects = [before, after].every((one) => one && typeof one === 'object' && !Array.isArray(one));
  if (!areObjects) return brief(after ?? before);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return brief(Object.fromEntries(changed.map((name) => [name, after[name] ?? null])));
}

function values(event) {
  const shown = [['Before', event.old_value], ['After', event.new_value],
    ['Payload', event.payload], ['Data', event.data]].filter(([, value]) => value !== undefined);
  return h('div.two', shown.map(([name, value]) =>
    h('div', h('h3', name), jsonView(value, `${name}, the value`))));
}

function story(event) {
  const { scope, key, cause, dead } = event;
  return facts([
    ['Kind', chip(kindOf(event), TONES[kindOf(event)])], ['Time', moment(event.time)],
    ['Object', scope !== undefined && h('a', { href: link('state', key ? [scope, key] : [scope]) },
      [scope, key].filter(Boolean).join(' / '))],
    ['Queue', event.queue], ['Topic', event.topic], ['Source', event.source],
    ['Function', event.call?.function_id], ['Id', h('code', event.id)], ['Reason', event.reason],
    ['Dead letter', dead && [h('a', { href: link('dead', [dead.id]) }, dead.trigger),
      ` ${dead.reason}: ${dead.message}`]],
    ['Caused by', cause && [h('a', { href: link('events', [seqOf(cause.root)]) },
      `event ${seqOf(cause.root)}`), ` by ${cause.path?.join(' → ')}`]], ['Trace', event.traceparent && h('code', event.traceparent)]]);
}

export function openEvents(main) {
  let route = { parts: [], query: {} };
  let stop = () => {};
  let events = []; // newest first
  let held = []; // came while the list stands still
  let isHeld = false;
  let followed = null;

  const table = dataTable({
    caption: 'Events, newest first', key: (event) => event.seq, empty: 'No event fits yet.',
    href: (event) => link('events', [event.seq], route.query),
    columns: [
      { title: 'Seq', kind: 'num', cell: (event) => number(event.seq) },
      { title: 'Time', kind: 'mid', cell: (event) => moment(event.time) },
      { title: 'Kind', cell: (event) => chip(kindOf(event), TONES[kindOf(event)]) },
      { title: 'Object', cell: (event) => [h('span.quiet', placeOf(event), ' '), event.key ?? event.call?.function_id] },
      { title: 'Change', kind: 'grow wide', cell: (event) => h('code', difference(event)) },
    ],
  });
  const scope = h('input', { id: 'events-scope', type: 'text', autocomplete: 'off',
    placeholder: 'any', onchange: () => narrow() });
  const prefix = filterField({ label: 'Key begins with', onchange: () => narrow() });
  const when = h('input', { id: 'events-when', type: 'text', autocomplete: 'off', spellcheck: 'false',
    placeholder: 'new_value.plan == "pro"', onchange: () => narrow() });
  const trouble = h('div', { role: 'alert' });
  const hold = button('Hold', () => setHeld(!isHeld), { 'aria-pressed': 'false' });
  const count = h('p.quiet', { 'aria-live': 'polite' });
  const view = splitView(main, { title: 'Events', list: h('div', trouble, table.element), tools: [
    h('div.filter', h('label', { for: 'events-scope' }, 'Scope'), scope), prefix.element,
    h('div.filter.long', h('label', { for: 'events-when' }, 'When'), when), hold, count],
  back: () => link('events', [], route.query) });

  function narrow() {
    go(link('events', route.parts, { scope: scope.value.trim(),
      prefix: prefix.input.value, when: when.value.trim() }), true);
  }

  function draw() {
    table.set(events);
    table.select(route.parts[0]);
    setText(count, isHeld ? `held; ${plural(held.length, 'new event')}` : plural(events.length, 'event'));
  }

  function setHeld(value) {
    isHeld = value;
    hold.setAttribute('aria-pressed', String(value));
    setText(hold, value ? 'Go on' : 'Hold');
    if (!value) take(held.splice(0));
    draw();
  }

  function take(list) {
    events = [...list.toReversed(), ...events].slice(0, KEPT);
  }

  // Who may not see how the engine is sees what comes from now on.
  function beginning() {
    if (!pulse.status) return '';
    const { last_seq: last, first_seq: first } = pulse.status.store;
    return Math.max(first - 1, last - (Object.keys(route.query).length ? FAR_PAST : PAST), 0);
  }

  function begin() {
    stop();
    events = [];
    held = [];
    fill(trouble);
    stop = follow({ ...route.query, since: beginning() }, (list) => {
      if (isHeld) held.push(...list);
      else take(list);
      draw();
    }, (error) => fill(trouble, problem(error)));
    draw();
  }

  async function showEvent(seq) {
    view.open(`Event ${seq}`, h('p.quiet', 'Looking…'));
    try {
      const [event, answer] = await Promise.all([
        events.find((one) => one.seq === seq) ?? readEvent(seq), get(at`/v1/events/${seq}/explain`)]);
      if (route.parts[0] !== String(seq)) return;
      view.open(`Event ${seq}`, event && story(event), explanation(answer), event && values(event));
    } catch (error) {
      view.open(`Event ${seq}`, problem(error));
    }
  }

  // Follows from where the engine is once that is known, and again when the filter changes.
  const unheard = onBeat(() => {
    if ((pulse.status || pulse.error) && followed !== JSON.stringify(route.query)) {
      followed = JSON.stringify(route.query);
      begin();
    }
  });

  return {
    update(given) {
      const isOther = given.parts[0] !== route.parts[0];
      route = given;
      if (document.activeElement !== scope) scope.value = route.query.scope ?? '';
      if (document.activeElement !== when) when.value = route.query.when ?? '';
      if (document.activeElement !== prefix.input) prefix.input.value = route.query.prefix ?? '';
      if ((pulse.status || pulse.error) && followed !== JSON.stringify(route.query)) {
        followed = JSON.stringify(route.query);
        begin();
      }
      table.select(route.parts[0]);
      if (isOther && route.parts[0]) showEvent(Number(route.parts[0]));
      else if (!route.parts[0]) view.close();
    },
    close() {
      unheard();
      stop();
    },
  };
}
