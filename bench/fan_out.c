/* This file lets many clients watch one scope, writes to it, and measures when they hear of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/id.h"
#include "bench/sample.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * DESIGN. One thread, epoll. A change's value is the time at which it was written, so that whoever
 * hears of it knows how long that took. One connection writes, `rate` changes a second, with at
 * most `in_flight` of them not answered; a change that is late is written at once. It ends when
 * every watcher has heard of every change.
 */
enum { READ_BYTES = 256 * 1024, TURN_EVENTS = 256, DEADLINE_S = 60 };

struct options {
	uint64_t port, watchers, changes, rate, in_flight;
};

struct stream {
	int fd;
	struct buf rest; /* what is not a whole line yet */
	uint64_t heard;
	bool is_ready;
};

struct run {
	struct options options;
	int epoll;
	int writer;
	struct stream *streams;
	uint64_t ready, written, answered, heard;
	int64_t began_ns;
	struct sample sample;
	char bytes[READ_BYTES];
};

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "fan_out: %s\n", what);
	exit(1);
}

static int open_socket(uint64_t port)
{
	const struct sockaddr_in name = {.sin_family = AF_INET,
	                                 .sin_port = htons((uint16_t)port),
	                                 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) != 0) {
		fail("no engine answers, or there are too few file descriptors");
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void say(int fd, struct span text)
{
	if (send(fd, text.ptr, text.len, MSG_NOSIGNAL) != (ssize_t)text.len) {
		fail("a request cannot be sent");
	}
}

/* Then its bytes are shown as those of number `index`. */
static void listen_to(struct run *run, int fd, uint64_t index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = index};
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		fail("epoll");
	}
}

static void open_all(struct run *run)
{
	uint64_t count = run->options.watchers;
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	run->streams = calloc(count, sizeof *run->streams);
	if (run->streams == NULL) {
		fail("no memory");
	}
	for (uint64_t i = 0; i < count; i++) {
		run->streams[i].fd = open_socket(run->options.port);
		say(run->streams[i].fd, SPAN("GET /v1/watch?scope=bench HTTP/1.1\r\n"
		                             "Host: localhost\r\n\r\n"));
		listen_to(run, run->streams[i].fd, i);
	}
	run->writer = open_socket(run->options.port);
	listen_to(run, run->writer, count);
}

/* The changes that are due and may be in flight. */
static void write_due(struct run *run, int64_t now_ns)
{
	const struct options *options = &run->options;
	struct buf out = {0};
	uint64_t due = (uint64_t)((now_ns - run->began_ns) / 1000) * options->rate / 1000000 + 1;
	while (run->written < options->changes && run->written < due &&
	       run->written - run->answered < options->in_flight) {
		char body[32];
		int len = snprintf(body, sizeof body, "%lld", (long long)now_ns);
		buf_format(&out,
		           "PUT /v1/state/bench/k%llu HTTP/1.1\r\nHost: localhost\r\n"
		           "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		           (unsigned long long)run->written % 1000, len, body);
		run->written++;
	}
	if (out.len != 0) {
		say(run->writer, buf_view(&out));
	}
	buf_free(&out);
}

static uint64_t count_of(struct span text, const char *word)
{
	uint64_t count = 0;
	size_t len = strlen(word);
	const char *at = text.ptr;
	const char *end = text.ptr + text.len;
	while ((at = memmem(at, (size_t)(end - at), word, len)) != NULL) {
		count++;
		at += len;
	}
	return count;
}

/* A whole line of a stream. */
static void take_line(struct run *run, struct stream *stream, struct span line, int64_t now_ns)
{
	static const char name[] = "\"new_value\":";
	if (span_starts_with(line, SPAN("event: ready"))) {
		stream->is_ready = true;
		run->ready++;
		return;
	}
	const char *at = span_starts_with(line, SPAN("data: "))
	                         ? memmem(line.ptr, line.len, name, sizeof name - 1)
	                         : NULL;
	if (at != NULL) {
		int64_t sent_ns = strtoll(at + sizeof name - 1, NULL, 10);
		sample_add(&run->sample, now_ns - sent_ns);
		stream->heard++;
		run->heard++;
	}
}

static void take_bytes(struct run *run, struct stream *stream, struct span bytes, int64_t now_ns)
{
	buf_span(&stream->rest, bytes);
	size_t taken = 0;
	for (;;) {
		const char *at = stream->rest.ptr + taken;
		const char *end = memchr(at, '\n', stream->rest.len - taken);
		if (end == NULL) {
			break;
		}
		take_line(run, stream, span_make(at, (size_t)(end - at)), now_ns);
		taken += (size_t)(end - at) + 1;
	}
	buf_remove_front(&stream->rest, taken);
}

static void take_answers(struct run *run, struct span bytes)
{
	run->answered += count_of(bytes, "HTTP/1.1 200");
	if (memmem(bytes.ptr, bytes.len, "HTTP/1.1 4", 10) != NULL ||
	    memmem(bytes.ptr, bytes.len, "HTTP/1.1 5", 10) != NULL) {
		fail("a change was refused");
	}
}

static void read_from(struct run *run, uint64_t index)
{
	bool is_writer = index == run->options.watchers;
	int fd = is_writer ? run->writer : run->streams[index].fd;
	ssize_t got = recv(fd, run->bytes, sizeof run->bytes, 0);
	if (got < 0 && errno == EAGAIN) {
		return;
	}
	if (got <= 0) {
		fail("a connection was ended");
	}
	struct span bytes = span_make(run->bytes, (size_t)got);
	if (is_writer) {
		take_answers(run, bytes);
	} else {
		take_bytes(run, &run->streams[index], bytes, sample_now_ns());
	}
}

static void turn(struct run *run)
{
	struct epoll_event events[TURN_EVENTS];
	int count = epoll_wait(run->epoll, events, TURN_EVENTS, 1);
	for (int i = 0; i < count; i++) {
		read_from(run, events[i].data.u64);
	}
}

static void print(struct run *run, double seconds)
{
	const struct options *options = &run->options;
	double p50_us = sample_us(&run->sample, 50);
	double p99_us = sample_us(&run->sample, 99);
	printf("{\"watchers\":%llu,\"changes\":%llu,\"seconds\":%.3f,\"changes_per_second\":%.1f,"
	       "\"events_per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
	       (unsigned long long)options->watchers, (unsigned long long)options->changes, seconds,
	       (double)options->changes / seconds, (double)run->heard / seconds, p50_us, p99_us,
	       sample_us(&run->sample, 100));
}

static void read_options(struct options *options, int argc, char **argv)
{
	const struct {
		const char *name;
		uint64_t *value;
	} rows[] = {{"--port", &options->port},
	            {"--watchers", &options->watchers},
	            {"--changes", &options->changes},
	            {"--rate", &options->rate},
	            {"--in-flight", &options->in_flight}};
	for (int i = 1; i < argc; i += 2) {
		bool known = false;
		for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
			known |= strcmp(argv[i], rows[row].name) == 0 && i + 1 < argc &&
			         id_parse_uint(span_of(argv[i + 1]), rows[row].value);
		}
		if (!known) {
			fail("usage: fan_out --port N [--watchers N] [--changes N] [--rate N] "
			     "[--in-flight N]");
		}
	}
}

int main(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof *run);
	if (run == NULL) {
		fail("no memory");
	}
	run->options = (struct options){
	        .watchers = 1000, .changes = 1000, .rate = 1000000, .in_flight = 16};
	read_options(&run->options, argc, argv);
	open_all(run);
	int64_t deadline_ns = sample_now_ns() + DEADLINE_S * INT64_C(1000000000);
	while (run->ready < run->options.watchers) {
		turn(run);
	}
	run->began_ns = sample_now_ns();
	while (run->heard < run->options.changes * run->options.watchers) {
		int64_t now_ns = sample_now_ns();
		if (now_ns > deadline_ns) {
			fail("the watchers did not hear of all changes in time");
		}
		write_due(run, now_ns);
		turn(run);
	}
	print(run, (double)(sample_now_ns() - run->began_ns) / 1e9);
	for (uint64_t i = 0; i < run->options.watchers; i++) {
		(void)close(run->streams[i].fd);
		buf_free(&run->streams[i].rest);
	}
	(void)close(run->writer);
	(void)close(run->epoll);
	sample_close(&run->sample);
	free(run->streams);
	free(run);
	return 0;
}
