/* SPDX-License-Identifier: ISC */
#include "console.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel's consoles, such as "tty0 ttyS0"; /dev/console is the last. */
#define ACTIVE "/sys/class/tty/console/active"

enum { CONSOLES = 4, TEXT_SIZE = 4096 };

static void write_all(int file, const char *text)
{
	size_t left = strlen(text);
	ssize_t done;

	while (left > 0 && (done = write(file, text, left)) > 0) {
		text += done;
		left -= (size_t)done;
	}
}

void console_say(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_all(STDOUT_FILENO, text);
}

/* Open every console; where none can be told, the one we were given. */
static size_t open_all(int files[CONSOLES])
{
	char active[128] = "";
	char path[160];
	char *rest = active;
	char *name;
	size_t count = 0;
	FILE *list;

	list = fopen(ACTIVE, "re");
	if (list != NULL) {
		if (fgets(active, sizeof(active), list) == NULL)
			active[0] = '\0';
		fclose(list);
	}
	while (count < CONSOLES && (name = strsep(&rest, " \n")) != NULL) {
		if (*name == '\0')
			continue;
		snprintf(path, sizeof(path), "/dev/%s", name);
		files[count] = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (files[count] >= 0)
			count++;
	}
	if (count == 0)
		files[count++] = STDIN_FILENO;
	return count;
}

void console_show_failure(const char *phase, const struct err *err)
{
	char text[TEXT_SIZE];
	int files[CONSOLES];
	size_t count;
	size_t i;

	snprintf(text, sizeof(text),
		"\n\nKEYROOM HAS STOPPED. Nothing was started.\n\n"
		"what:  %s\n"
		"when:  %s\n"
		"do:    %s\n\n"
		"Press Enter to switch the machine off, or use its power button.\n",
		err->text, phase,
		err->advice
			? err->advice
			: "start again; if it stops here again, use another copy of the disc or another machine");
	count = open_all(files);
	for (i = 0; i < count; i++)
		write_all(files[i], text);
	for (i = 0; i < count; i++)
		if (files[i] != STDIN_FILENO)
			close(files[i]);
}

void console_wait_for_enter(void)
{
	struct pollfd polls[CONSOLES];
	int files[CONSOLES];
	size_t count;
	size_t i;
	char line[64];

	count = open_all(files);
	for (i = 0; i < count; i++)
		polls[i] = (struct pollfd){.fd = files[i], .events = POLLIN};
	for (;;) {
		if (poll(polls, count, -1) < 0)
			continue;
		for (i = 0; i < count; i++) {
			if (polls[i].revents & (POLLERR | POLLHUP | POLLNVAL))
				polls[i].fd = -1; /* poll passes over it */
			else if (polls[i].revents & POLLIN &&
				 read(polls[i].fd, line, sizeof(line)) > 0)
				return;
		}
	}
}
