/* SPDX-License-Identifier: ISC */
#include "tools/evidence/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const struct {
	int64_t speed;
	speed_t code;
} speeds[] = {
	{1200, B1200},
	{2400, B2400},
	{4800, B4800},
	{9600, B9600},
	{19200, B19200},
	{38400, B38400},
	{57600, B57600},
	{115200, B115200},
	{230400, B230400},
	{460800, B460800},
	{921600, B921600},
};

static bool find_speed(int64_t speed, speed_t *code, struct err *err)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++)
		if (speeds[i].speed == speed) {
			*code = speeds[i].code;
			return true;
		}
	return err_set(err, ERR_USAGE,
		"speed %lld is none of 1200 2400 4800 9600 19200 38400 57600 115200 230400 460800 921600",
		(long long)speed);
}

static bool set_line(int fd, speed_t code)
{
	struct termios line;

	if (tcgetattr(fd, &line) != 0)
		return false;
	cfmakeraw(&line);
	line.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | HUPCL);
	line.c_cflag |= CLOCAL | CREAD;
	line.c_iflag |= IGNBRK;
	line.c_cc[VMIN] = 1;
	line.c_cc[VTIME] = 0;
	return cfsetspeed(&line, code) == 0 &&
	       tcsetattr(fd, TCSANOW, &line) == 0;
}

bool serial_open(const char *path, int64_t speed, int *out, struct err *err)
{
	speed_t code = B0;
	int fd;

	if (!find_speed(speed, &code, err))
		return false;
	fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_INPUT, "%s: cannot open: %s", path,
			strerror(errno));
	if (isatty(fd) != 1)
		err_set(err, ERR_INPUT, "%s: not a serial line", path);
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		err_set(err, ERR_INPUT, "%s: recorded already", path);
	else if (!set_line(fd, code))
		err_set(err, ERR_INPUT, "%s: cannot be set up: %s", path,
			strerror(errno));
	else {
		*out = fd;
		return true;
	}
	close(fd);
	return false;
}

uint64_t serial_overruns(int fd)
{
	struct serial_icounter_struct counters;

	memset(&counters, 0, sizeof(counters));
	if (ioctl(fd, TIOCGICOUNT, &counters) != 0)
		return 0;
	return (uint64_t)(unsigned)counters.overrun +
	       (uint64_t)(unsigned)counters.buf_overrun;
}
