// Random cron expressions in zones with all kinds of clock changes: base/cron and the npm package croner
// say the same times, but for differences that are meant; each has its rule here and is counted.
//
// CRON_COUNT and CRON_SEED choose how many expressions, and which.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Cron } from 'croner';
import { program, test } from './lib.mjs';

const COUNT = Number(process.env.CRON_COUNT ?? 10000);
const SEED = Number(process.env.CRON_SEED ?? 1);
const TIMES = 3;
const DAY = 86400;
const FIRST = Date.UTC(1990, 0) / 1000;
const LAST = Date.UTC(2037, 0) / 1000;
const ZONES = `UTC Europe/Berlin Europe/Dublin America/New_York America/Havana America/St_Johns
  America/Sao_Paulo America/Santiago America/Nuuk America/Scoresbysund Asia/Beirut Asia/Tehran Asia/Kolkata
  Africa/Cairo Africa/Casablanca Australia/Lord_Howe Australia/Sydney Pacific/Apia Pacific/Auckland
  Pacific/Chatham Antarctica/Troll`.split(/\s+/);
const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

// ---- chance, by the seed (mulberry32) ----

let state = SEED >>> 0;
function chance() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const between = (least, most) => least + Math.floor(chance() * (most - least + 1));
const oneOf = (list) => list[between(0, list.length - 1)];

// ---- expressions ----

const LIMITS = [[0, 59], [0, 59], [0, 23], [1, 31], [1, 12], [0, 6]];
const SPECIAL = {
  3: ['L', 'LW', '15W', '1W', '30W', 'L,15', '?', '28-31', '*/1'],
  5: ['5#2', 'SUN#L', 'MONL', '1-5#1', 'FRI-SUN', '+FRI', '+1-5', '+SUN#1', '?', '7', '6-7#L', 'FRI#5', '*/1'],
};

function someItem(at) {
  const [least, most] = LIMITS[at];
  const first = between(least, most);
  const last = between(first, most);
  const names = { 4: MONTHS, 5: WEEKDAYS }[at];
  if (names && chance() < 0.3) return `${names[first - least]}-${names[last - least]}`;
  return oneOf([
    () => `${first}`,
    () => `${first}`,
    () => `${first}-${last}`,
    () => `*/${between(2, most - least + 1)}`,
    () => `${first}-${last}/${between(1, 5)}`,
    () => `${first}/${between(1, 7)}`,
  ])();
}

function someField(at) {
  if (chance() < (at < 3 ? 0.25 : 0.5)) return '*';
  if (SPECIAL[at] && chance() < 0.2) return oneOf(SPECIAL[at]);
  if (at === 1 && chance() < 0.5) return oneOf(['0', '30', '*/15', '0,30', '59', '0-59/20']);
  if (at === 2 && chance() < 0.6) return oneOf(['0', '1', '2', '3', '0-3', '*/2', '1,2', '23', '0-5/2', '22-23']);
  return chance() < 0.2 ? `${someItem(at)},${someItem(at)}` : someItem(at);
}

// ---- zones ----

const clocks = new Map(ZONES.map((zone) => [zone, new Intl.DateTimeFormat('en-GB', {
  timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric',
  hour: 'numeric', minute: 'numeric', second: 'numeric',
})]));

// What the clocks show, as the seconds that it would be in UTC.
function shown(zone, seconds) {
  const [day, month, year, hour, minute, second] =
    clocks.get(zone).formatToParts(seconds * 1000).filter((p) => p.type !== 'literal').map((p) => Number(p.value));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

const tool = (name, input) => execFileSync(path.join(path.dirname(program), 'tests', name),
  { input, maxBuffer: 1 << 28, encoding: 'utf8' }).trimEnd().split('\n');

// Node brings a time zone database of its own: where it is another one than the system's, by a look at each
// week, the zone is no matter for this test.
function isSame(zone) {
  const weeks = Array.from({ length: Math.floor((LAST - FIRST) / (7 * DAY)) }, (_, i) => FIRST + i * 7 * DAY);
  const offsets = tool('zone_print', weeks.map((at) => `${zone} ${at} 0\n`).join(''));
  return weeks.every((at, i) => shown(zone, at) - at === parseInt(offsets[i], 10));
}

// The ends of the days in which the clocks are changed, of some years.
function daysOfChanges(zone) {
  const days = [];
  for (let year = 1991; year < 2037; year += 5) {
    const first = Date.UTC(year, 0) / 1000;
    for (let at = first; at < first + 365 * DAY; at += DAY) {
      if (shown(zone, at + DAY) - shown(zone, at) !== DAY) days.push(at + DAY);
    }
  }
  return days;
}

const zones = ZONES.filter(isSame);
const changes = new Map(zones.map((zone) => [zone, daysOfChanges(zone)]));

// Clocks are put forward over midnight at that instant.
function skipsMidnight(zone, at) {
  const before = shown(zone, at - 1);
  const after = shown(zone, at);
  return after - before > 1 && Math.floor(after / DAY) > Math.floor(before / DAY);
}

// ---- questions ----

function someInstant(zone) {
  const days = changes.get(zone);
  if (days.length === 0 || chance() < 0.3) return between(FIRST, LAST);
  return oneOf(days) - between(0, 3 * DAY);
}

// At fixed times of every day, or anything.
function someText() {
  if (chance() < 0.2) return `${between(0, 59)} ${oneOf(['0', '1', '2', '3', '23', '22-23', '0,23'])} * * *`;
  const fields = chance() < 0.2 ? 6 : 5;
  return Array.from({ length: fields }, (_, i) => someField(i + 6 - fields)).join(' ');
}

function someQuestion() {
  const zone = oneOf(zones);
  return { zone, after: someInstant(zone), text: someText() };
}

// ---- both answers ----

// A range from Sunday to Sunday is Sunday for us, and a whole week for croner; a day field that says */1
// restricts nothing for us, as in Vixie's cron, and every day for croner, so that a restriction of the
// other one is lost.
const forCroner = (text) => text.replace('SUN-SUN', 'SUN').replaceAll(/(?<=\s|\+)\*\/1(?=\s|$)/g, '*');

function askCroner({ zone, after, text }, isBack) {
  const cron = new Cron(forCroner(text), { timezone: zone, sloppyRanges: true, fixedTimeRule: 'no-wildcard' });
  const at = new Date(after * 1000);
  return (isBack ? cron.previousRuns(TIMES, at) : cron.nextRuns(TIMES, at)).map((time) => time.getTime() / 1000);
}

// ---- differences that are meant: which rule explains it? ----

const RULES = {
  // What never fires is refused by us; croner takes it and answers nothing.
  'never fires': ({ ours, theirs }) =>
    theirs.length === 0 && ours.startsWith?.('refused: the cron expression never fires'),
  // A fixed time before midnight in a gap that ends behind it fires at the end of the gap; croner leaves it
  // out, because that is another day.
  'gap over midnight': ({ zone, ours, theirs }) => {
    const others = Array.isArray(ours) ? ours.filter((at) => !skipsMidnight(zone, at)) : [];
    return others.length < ours.length && others.every((at, i) => at === theirs[i]);
  },
};

const same = (a, b) => a.length === b.length && a.every?.((at, i) => at === b[i]);

function compare(count, isBack) {
  assert.ok(zones.length > ZONES.length / 2, 'the time zone databases have too little in common');
  const questions = Array.from({ length: count }, someQuestion);
  const times = isBack ? -TIMES : TIMES;
  const answers = tool('cron_print', questions.map((q) => `${q.zone} ${q.after} ${times} ${q.text}\n`).join(''));
  const met = { 'written otherwise': 0, ...Object.fromEntries(Object.keys(RULES).map((rule) => [rule, 0])) };
  const wrong = [];
  let fired = 0;
  for (const [i, question] of questions.entries()) {
    const ours = answers[i].startsWith('refused') ? answers[i] : answers[i].split(' ').filter(Boolean).map(Number);
    const theirs = askCroner(question, isBack);
    fired += theirs.length;
    met['written otherwise'] += forCroner(question.text) !== question.text;
    if (same(ours, theirs)) continue;
    const rule = Object.keys(RULES).find((name) => RULES[name]({ ...question, ours, theirs }));
    if (rule) met[rule]++;
    else wrong.push({ ...question, ours, theirs });
  }
  console.log(`zones left out: ${ZONES.filter((zone) => !zones.includes(zone)).join(' ') || 'none'}`);
  console.log(`${count} expressions with seed ${SEED}, ${fired} times; differences that are meant:`, met);
  assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} differences that no rule explains`);
}

test('random expressions fire when croner says', () => compare(COUNT, false), 300000);

test('and they fired when croner says', () => compare(Math.ceil(COUNT / 5), true), 300000);
