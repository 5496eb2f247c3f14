/* SPDX-License-Identifier: ISC */
#include "tools/evidence/terminals.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/cli/place.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/kd.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define STAT_MAX 4096
#define NESTED_MAX 8
#define PICTURE_PROGRAM "/usr/lib/keyroom/show-pages"

struct process {
	pid_t id, parent, session, foreground;
	dev_t terminal;
	char command[16];
};

struct processes {
	struct process *all;
	size_t count;
	const pid_t *recording;
	size_t recordings;
};

const char *terminals_patterns(const char *patterns)
{
	const char *given = getenv("KEYROOM_TERMINALS");

	return given != NULL ? given : patterns;
}

static bool read_proc(const char *id, const char *name, struct buf *out)
{
	struct err discarded = ERR_EMPTY;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/%s", id, name);
	return file_read(path, STAT_MAX, out, &discarded);
}

/* proc(5): "ID (COMMAND) STATE PARENT GROUP SESSION TERMINAL FOREGROUND". */
static bool parse_stat(const char *text, struct process *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	long numbers[5]; /* parent, group, session, terminal, foreground */
	unsigned long number;
	char *at;

	/* Behind the parenthesis: a blank, a letter, and then numbers. */
	if (open == NULL || close == NULL || strlen(close) < 4)
		return false;
	at = (char *)close + 3;
	for (size_t i = 0; i < 5; i++) {
		char *from = at;

		numbers[i] = strtol(from, &at, 10);
		if (at == from)
			return false;
	}
	out->parent = (pid_t)numbers[0];
	out->session = (pid_t)numbers[2];
	out->foreground = (pid_t)numbers[4];
	number = (unsigned long)numbers[3];
	out->id = (pid_t)strtol(text, NULL, 10);
	out->terminal = makedev((number >> 8) & 0xfff,
		(number & 0xff) | ((number >> 12) & 0xfff00));
	snprintf(out->command, sizeof(out->command), "%.*s",
		(int)(close - open - 1), open + 1);
	return true;
}

static bool add_process(
	struct processes *processes, const char *id, struct err *err)
{
	struct process process = {.id = 0}, *slot;
	struct buf text = BUF_EMPTY;
	bool ok = true;

	/* One that has ended meanwhile has no terminal. */
	if (read_proc(id, "stat", &text) &&
		parse_stat(buf_string(&text), &process)) {
		slot = array_grow(
			&processes->all, &processes->count, sizeof(*slot), err);
		ok = slot != NULL;
		if (ok)
			*slot = process;
	}
	buf_free(&text);
	return ok;
}

static bool read_processes(struct processes *out, struct err *err)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	bool ok = true;

	if (folder == NULL)
		return err_set(err, ERR_INPUT, "/proc: %s", strerror(errno));
	while (ok && (entry = readdir(folder)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			ok = add_process(out, entry->d_name, err);
	closedir(folder);
	return ok;
}

static const struct process *find(const struct processes *processes, pid_t id)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->all[i].id == id)
			return &processes->all[i];
	return NULL;
}

static bool records(const struct processes *processes, pid_t id)
{
	for (size_t i = 0; i < processes->recordings; i++)
		if (processes->recording[i] == id)
			return true;
	return false;
}

/* Another name of the terminal that a process is on, or of the screen's
 * console. */
static bool is_another_name(dev_t device)
{
	return device == makedev(TTY_MAJOR, 0) ||
	       device == makedev(TTYAUX_MAJOR, 0) ||
	       device == makedev(TTYAUX_MAJOR, 1);
}

/*
 * Is this descriptor of its that very device?  Of windows numbers alone say too
 * little: each instance of devpts counts from 0.
 */
static bool leads_to(
	const struct process *process, int fd, const struct stat *terminal)
{
	const bool window = major(terminal->st_rdev) >= UNIX98_PTY_SLAVE_MAJOR;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", process->id, fd);
	if (stat(path, &st) != 0 || !S_ISCHR(st.st_mode))
		return false;
	if (st.st_dev == terminal->st_dev && st.st_ino == terminal->st_ino)
		return true;
	return !window && (st.st_rdev == terminal->st_rdev ||
				  (process->terminal == terminal->st_rdev &&
					  is_another_name(st.st_rdev)));
}

static bool reads_from(
	const struct process *process, const struct stat *terminal)
{
	return leads_to(process, STDIN_FILENO, terminal);
}

static bool writes_on(
	const struct process *process, const struct stat *terminal)
{
	return leads_to(process, STDOUT_FILENO, terminal) ||
	       leads_to(process, STDERR_FILENO, terminal);
}

/* The first process of a terminal's session, or any of its processes. */
static const struct process *owner(
	const struct processes *processes, const struct stat *terminal)
{
	const struct process *any = NULL;

	for (size_t i = 0; i < processes->count; i++) {
		const struct process *process = &processes->all[i];

		if (process->terminal != terminal->st_rdev ||
			!(reads_from(process, terminal) ||
				writes_on(process, terminal)))
			continue;
		if (process->id == process->session)
			return process;
		any = process;
	}
	return any;
}

/*
 * A process that has this terminal open and is not on it: it opened it as a
 * file, as a shell does that setsid started.  talks: one that reads from it and
 * writes on it alone, as a shell does; else one that is on no other terminal
 * and does either is one, too.
 */
static const struct process *stranger(const struct processes *processes,
	const struct stat *terminal, bool talks)
{
	for (size_t i = 0; i < processes->count; i++) {
		const struct process *process = &processes->all[i];
		bool reads, writes;

		if (process->terminal == terminal->st_rdev)
			continue;
		reads = reads_from(process, terminal);
		writes = writes_on(process, terminal);
		if (reads && writes)
			return process;
		if (!talks && process->terminal == 0 && (reads || writes))
			return process;
	}
	return NULL;
}

/* Does a process that records have this terminal? */
static bool has_recorder(const struct processes *processes, dev_t terminal)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->all[i].terminal == terminal &&
			records(processes, processes->all[i].id))
			return true;
	return false;
}

/* leader: of the session on the terminal; inside a script, its parent's too. */
static bool is_recorded(
	const struct processes *processes, const struct process *leader)
{
	const struct process *parent = leader;

	for (int depth = 0; parent != NULL && depth < NESTED_MAX; depth++) {
		if (has_recorder(processes, parent->terminal))
			return true;
		leader = find(processes, parent->session);
		parent =
			leader != NULL ? find(processes, leader->parent) : NULL;
		if (parent == NULL || strcmp(parent->command, "script") != 0)
			return false;
		if (records(processes, parent->parent))
			return true;
	}
	return false;
}

/*
 * The leader of what a script(1) in the foreground shows on its terminal, which
 * shows nothing else then; NULL: there is none.  In the foreground is script,
 * or who has started it.
 */
static const struct process *shown_inside(
	const struct processes *processes, const struct process *leader)
{
	for (size_t i = 0; i < processes->count; i++) {
		const struct process *inner = &processes->all[i];
		const struct process *script = find(processes, inner->parent);

		if (inner->id == inner->session && script != NULL &&
			strcmp(script->command, "script") == 0 &&
			script->session == leader->session &&
			script->terminal == leader->terminal &&
			(script->id == leader->foreground ||
				script->parent == leader->foreground))
			return inner;
	}
	return NULL;
}

/* A terminal is, too, where it shows one that is. */
static bool is_or_shows_recorded(
	const struct processes *processes, const struct process *leader)
{
	for (int depth = 0; leader != NULL && depth < NESTED_MAX; depth++) {
		if (is_recorded(processes, leader))
			return true;
		leader = shown_inside(processes, leader);
	}
	return false;
}

static bool waits_for_login(const struct process *process)
{
	return strcmp(process->command, "agetty") == 0 ||
	       strcmp(process->command, "login") == 0;
}

/* A console whose screen is the desktop's shows nothing of its own. */
static bool shows_desktop(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int mode = KD_TEXT;

	if (fd < 0)
		return false;
	if (ioctl(fd, KDGETMODE, &mode) != 0)
		mode = KD_TEXT;
	close(fd);
	return mode == KD_GRAPHICS;
}

/* "bash /usr/lib/keyroom/show-pages FILE" */
static bool shows_picture(const struct process *process)
{
	struct buf text = BUF_EMPTY;
	char id[24];
	const char *words;
	size_t first;
	bool shows;

	snprintf(id, sizeof(id), "%d", process->id);
	read_proc(id, "cmdline", &text);
	words = buf_string(&text);
	first = strlen(words) + 1;
	shows = first < text.len && strcmp(words + first, PICTURE_PROGRAM) == 0;
	buf_free(&text);
	return shows;
}

/* Whose the terminal is, what of it is recorded, and what runs there now. */
static const struct process *judge(const struct processes *processes,
	const struct stat *terminal, enum terminal_state *state)
{
	const struct process *leader = owner(processes, terminal);
	const struct process *other, *shown;
	bool recorder;

	*state = TERMINAL_NOT_RECORDED;
	if (leader == NULL || waits_for_login(leader))
		return stranger(processes, terminal, false);
	recorder = has_recorder(processes, terminal->st_rdev);
	if (is_or_shows_recorded(processes, leader))
		*state = TERMINAL_RECORDED;
	else if (shows_picture(leader))
		*state = TERMINAL_SHOWS;
	/* What is recorded is what runs inside another terminal. */
	if (*state != TERMINAL_NOT_RECORDED &&
		(recorder || !is_recorded(processes, leader))) {
		other = stranger(processes, terminal, true);
		if (other != NULL) {
			*state = TERMINAL_NOT_RECORDED;
			return other;
		}
	}
	shown = find(processes, leader->foreground);
	return shown != NULL ? shown : leader;
}

static bool add_terminal(const struct processes *processes, const char *path,
	struct terminals *out, struct err *err)
{
	const struct process *shown;
	struct terminal *terminal;
	enum terminal_state state;
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISCHR(st.st_mode))
		return true;
	shown = judge(processes, &st, &state);
	if (shown == NULL ||
		(!is_another_name(st.st_rdev) && shows_desktop(path)))
		return true;
	terminal = array_grow(&out->all, &out->count, sizeof(*terminal), err);
	if (terminal == NULL)
		return false;
	terminal->state = state;
	terminal->process = shown->id;
	strcpy(terminal->command, shown->command);
	snprintf(terminal->name, sizeof(terminal->name), "%s",
		strncmp(path, "/dev/", 5) == 0 ? path + 5 : path);
	return true;
}

static bool add_matching(const struct processes *processes, const char *pattern,
	struct terminals *out, struct err *err)
{
	bool ok = true;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return true;
	for (size_t i = 0; ok && i < found.gl_pathc; i++)
		ok = add_terminal(processes, found.gl_pathv[i], out, err);
	globfree(&found);
	return ok;
}

bool terminals_read(const pid_t *recording, size_t count, struct terminals *out,
	struct err *err)
{
	struct processes processes = {
		.recording = recording, .recordings = count};
	struct terminals terminals = {.all = NULL};
	const char *p = terminals_patterns(TERMINALS_WATCHED);
	struct buf pattern = BUF_EMPTY;
	bool ok = read_processes(&processes, err);

	while (ok && *p != '\0') {
		size_t len = strcspn(p, ":");

		buf_clear(&pattern);
		buf_bytes(&pattern, p, len);
		ok = buf_ok(&pattern, err) &&
		     add_matching(
			     &processes, buf_string(&pattern), &terminals, err);
		p += len + (p[len] == ':');
	}
	buf_free(&pattern);
	free(processes.all);
	if (ok)
		*out = terminals;
	else
		free(terminals.all);
	return ok;
}

static void mark_path(struct buf *out, pid_t process)
{
	place(out, PLACE_RUN "/log/recorded");
	if (process > 0)
		buf_format(out, "/%d", process);
}

bool terminals_mark(pid_t process, struct err *err)
{
	struct buf path = BUF_EMPTY;
	int fd;

	mark_path(&path, 0);
	mkdir(buf_string(&path), 0755);
	buf_clear(&path);
	mark_path(&path, process);
	fd = open(buf_string(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	else
		err_set(err, ERR_OUTPUT, "%s: %s", buf_string(&path),
			strerror(errno));
	buf_free(&path);
	return fd >= 0;
}

void terminals_unmark(pid_t process)
{
	struct buf path = BUF_EMPTY;

	mark_path(&path, process);
	unlink(buf_string(&path));
	buf_free(&path);
}

void terminals_forget(void)
{
	struct buf path = BUF_EMPTY;
	const struct dirent *entry;
	DIR *folder;

	mark_path(&path, 0);
	folder = opendir(buf_string(&path));
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			terminals_unmark(
				(pid_t)strtol(entry->d_name, NULL, 10));
	if (folder != NULL)
		closedir(folder);
	buf_free(&path);
}
