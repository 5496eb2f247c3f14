/* SPDX-License-Identifier: ISC */
#include "tools/evidence/device.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"

#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 8192
#define ATTRIBUTE_MAX 4096 /* a file in /sys reads as one page at most */
#define RECEIVE_BUFFER (1024 * 1024)

int device_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int size = RECEIVE_BUFFER, fd;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A message of the kernel itself (port 0); its length, or 0. */
static size_t receive(int fd, char message[MESSAGE_MAX])
{
	struct sockaddr_nl from = {.nl_pid = 1};
	socklen_t size = sizeof(from);
	ssize_t len = recvfrom(fd, message, MESSAGE_MAX - 1, 0,
		(struct sockaddr *)&from, &size);

	if (len <= 0 || from.nl_pid != 0)
		return 0;
	message[len] = '\0';
	return (size_t)len;
}

/* The value of NAME= among the texts of a message, or "". */
static const char *value(const char *message, size_t len, const char *name)
{
	size_t size = strlen(name);

	for (const char *p = message; p < message + len; p += strlen(p) + 1)
		if (strncmp(p, name, size) == 0 && p[size] == '=')
			return p + size + 1;
	return "";
}

/* What the device says of itself, while it is there. */
static void attribute(const char *path, const char *name, struct buf *out)
{
	struct err discarded = ERR_EMPTY;
	struct buf file = BUF_EMPTY, text = BUF_EMPTY;

	buf_format(&file, "/sys%s/%s", path, name);
	if (strstr(path, "..") == NULL &&
		file_read(
			buf_string(&file), ATTRIBUTE_MAX, &text, &discarded) &&
		text.len > 0) {
		buf_u8(out, ' ');
		buf_bytes(out, text.data,
			text.data[text.len - 1] == '\n' ? text.len - 1
							: text.len);
	}
	buf_free(&file);
	buf_free(&text);
}

static bool is_wanted(const char *subsystem, const char *type, const char *name)
{
	if (strcmp(subsystem, "usb") == 0)
		return strcmp(type, "usb_device") == 0;
	if (strcmp(subsystem, "tty") == 0)
		return strncmp(name, "ttyUSB", 6) == 0 ||
		       strncmp(name, "ttyACM", 6) == 0 ||
		       strncmp(name, "ttyS", 4) == 0;
	return strcmp(subsystem, "block") == 0;
}

void device_read(int fd, struct buf *out)
{
	char message[MESSAGE_MAX];
	size_t len = receive(fd, message);
	const char *subsystem = value(message, len, "SUBSYSTEM");
	const char *action = value(message, len, "ACTION");
	const char *path = value(message, len, "DEVPATH");
	const char *name = value(message, len, "DEVNAME");

	if (len == 0 ||
		!is_wanted(subsystem, value(message, len, "DEVTYPE"), name) ||
		strcmp(action, "bind") == 0 || strcmp(action, "unbind") == 0)
		return;
	buf_format(out, "%s %s %s", action, subsystem, name);
	if (strcmp(subsystem, "usb") == 0 && strcmp(action, "add") == 0) {
		buf_format(out, " %s", value(message, len, "PRODUCT"));
		attribute(path, "manufacturer", out);
		attribute(path, "product", out);
		attribute(path, "serial", out);
	}
}
