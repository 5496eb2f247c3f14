/* SPDX-License-Identifier: ISC */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define STATE "/run/keyroom"
#define DAMAGED                                                                \
	"the disc is damaged or not the one this entry was made for; use "     \
	"another copy"

enum {
	PROGRAMS = 2,
	DEPTH = 100 /* of folders in each other: each takes of the stack */
};

struct mount_point {
	const char *source;
	const char *target;
	const char *type;
	unsigned long flags;
	const char *options;
};

static bool mount_one(const struct mount_point *point, struct err *err)
{
	if (mount(point->source, point->target, point->type, point->flags,
		    point->options) < 0)
		return err_errno(err, "%s does not mount at %s", point->type,
			point->target);
	return true;
}

bool root_prepare(struct err *err)
{
	static const struct mount_point points[] = {
		{"proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
		{"sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			""},
		{"devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"},
		{"tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV,
			"mode=0755,size=20%"},
	};
	static const char *const folders[] = {STATE, STATE "/medium",
		STATE "/ram", STATE "/lower", STATE "/upper"};
	size_t i;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (!mount_one(&points[i], err))
			return false;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0755) < 0)
			return err_errno(err, "%s", folders[i]);
	return true;
}

bool root_mount(const char *device, struct err *err)
{
	const struct mount_point lower = {
		device, STATE "/lower", "squashfs", MS_RDONLY | MS_NODEV, ""};
	static const struct mount_point upper = {"tmpfs", STATE "/upper",
		"tmpfs", MS_NODEV, "mode=0755,size=50%"};
	static const struct mount_point overlay = {"overlay", "/root",
		"overlay", MS_NODEV,
		"lowerdir=" STATE "/lower,upperdir=" STATE
		"/upper/upper,workdir=" STATE "/upper/work"};

	if (!mount_one(&lower, err))
		return err_advise(err, DAMAGED);
	if (!mount_one(&upper, err))
		return false;
	if (mkdir(STATE "/upper/upper", 0755) < 0 ||
		mkdir(STATE "/upper/work", 0700) < 0)
		return err_errno(err, STATE "/upper");
	return mount_one(&overlay, err);
}

static bool is_kept(const char *name, const char *spared)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       (spared != NULL && strcmp(name, spared) == 0);
}

/* As root_empty(), on the file system of that device; takes the folder. */
static void empty_folder(
	int folder, dev_t device, const char *spared, int depth)
{
	DIR *dir = depth > 0 ? fdopendir(folder) : NULL;
	struct dirent *entry;
	struct stat status;
	int below;

	if (dir == NULL) {
		close(folder);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (is_kept(entry->d_name, spared))
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &status,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
			status.st_dev != device)
			continue;
		if (!S_ISDIR(status.st_mode)) {
			unlinkat(dirfd(dir), entry->d_name, 0);
			continue;
		}
		below = openat(dirfd(dir), entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			continue;
		empty_folder(below, device, NULL, depth - 1);
		unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void root_empty(const char *path, const char *spared)
{
	struct stat status;
	int folder;

	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return;
	if (fstat(folder, &status) < 0) {
		close(folder);
		return;
	}
	empty_folder(folder, status.st_dev, spared, DEPTH);
}

/* Give the memory of the initramfs back.  Only ever an initramfs. */
static bool empty_initramfs(struct err *err)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return err_errno(err, "the initramfs");
	if (fs.f_type != RAMFS_MAGIC && fs.f_type != TMPFS_MAGIC)
		return err_set(err, "this is not an initramfs");
	root_empty("/", NULL);
	return true;
}

static bool move_mounts(struct err *err)
{
	static const char *const moved[][2] = {
		{"/dev", "/root/dev"},
		{"/proc", "/root/proc"},
		{"/sys", "/root/sys"},
		{"/run", "/root/run"},
	};
	size_t i;

	for (i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		if (mount(moved[i][0], moved[i][1], NULL, MS_MOVE, NULL) < 0)
			return err_errno(err, "%s does not move to %s",
				moved[i][0], moved[i][1]);
	return true;
}

bool root_enter(struct err *err)
{
	static const char *const programs[PROGRAMS] = {
		"/usr/lib/systemd/systemd", "/sbin/init"};
	/* What the kernel gives its first process, and no more. */
	static const char *const environment[] = {"HOME=/", "TERM=linux", NULL};
	size_t i;

	if (!move_mounts(err) || !empty_initramfs(err))
		return false;
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
		chroot(".") < 0 || chdir("/") < 0)
		return err_errno(err, "the root cannot be entered");
	for (i = 0; i < PROGRAMS; i++) {
		execle(programs[i], programs[i], (char *)NULL, environment);
		if (errno != ENOENT)
			break;
	}
	err_errno(err, "%s", programs[i < PROGRAMS ? i : 0]);
	return err_advise(err, DAMAGED);
}
