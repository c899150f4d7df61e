/* This file holds the names of the trigger that calls the functions which alarms name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ALARM_NAMES_H
#define ENGINE_CORE_ALARM_NAMES_H

/*
 * DESIGN. It is a trigger of type alarm that the engine makes itself, for alarms that name a
 * function. It wakes a function of the engine, which nobody calls: who is called is said by the
 * alarm. Its concurrency is no bound: how much a function takes at a time is its workers' to say.
 */
#define ALARM_TRIGGERS "alarm:"
#define ALARM_TRIGGER  "alarm:named"
#define ALARM_RUN      "engine::alarm::run"
#define ALARM_CONFIG   "{\"concurrency\":10000,\"named\":true}"

#endif
