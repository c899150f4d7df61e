// This file lists the panels: the name in the address, the title, and the key behind g.
// SPDX-License-Identifier: Apache-2.0
import { openAlarms } from './alarms.js';
import { openDead } from './dead.js';
import { openEvents } from './events.js';
import { openFunctions } from './functions.js';
import { openJobs } from './jobs.js';
import { openOverview } from './overview.js';
import { openQueues } from './queues.js';
import { openState } from './state.js';
import { openTriggers } from './triggers.js';
import { openWorkers } from './workers.js';

// `open(main)` fills main and answers { update(route), close() }: update comes at once, and again
// whenever the address changes within the panel.
export const panels = [
  { name: 'overview', title: 'Overview', key: 'o', open: openOverview },
  { name: 'state', title: 'State', key: 's', open: openState },
  { name: 'events', title: 'Events', key: 'e', open: openEvents },
  { name: 'triggers', title: 'Triggers', key: 't', open: openTriggers },
  { name: 'jobs', title: 'Jobs', key: 'j', open: openJobs },
  { name: 'dead', title: 'Dead letters', key: 'd', open: openDead },
  { name: 'alarms', title: 'Alarms', key: 'a', open: openAlarms },
  { name: 'queues', title: 'Queues', key: 'q', open: openQueues },
  { name: 'functions', title: 'Functions', key: 'f', open: openFunctions },
  { name: 'workers', title: 'Workers', key: 'w', open: openWorkers },
];
