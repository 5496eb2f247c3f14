/* SPDX-License-Identifier: ISC */
/*
 * Which disks may be looked into at all is decided from sysfs.  Shows on
 * made-up machines that optical drives, USB disks, SD cards and removable
 * media are, and that whatever is soldered or screwed in, or not known, is
 * not: a fixed disk is never searched.
 */
#include "device.h"
#include "init_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PCI "pci0000:00/0000:00:"
#define SATA PCI "17.0/ata3/host2/target2:0:0/2:0:0:0"
#define USB PCI "14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0"
#define MMC PCI "1a.0/mmc_host/mmc0/mmc0:aaaa"

static const struct {
	struct tree_disk disk;
	enum device_kind kind;
} disks[] = {
	{{"sr0", SATA, "1\n", "5\n"}, DEVICE_OPTICAL},
	{{"sr12", USB, "1\n", "5\n"}, DEVICE_OPTICAL},
	{{"sdb", USB, "1\n", "0\n"}, DEVICE_USB},
	/* A USB disk in a case says its medium is fixed. */
	{{"sdc", USB, "0\n", "0\n"}, DEVICE_USB},
	{{"sdaa", USB, NULL, NULL}, DEVICE_USB},
	{{"mmcblk0", MMC, "0\n", "SD\n"}, DEVICE_SD},
	/* A card reader on another bus. */
	{{"sdd", PCI "1d.0/host3/target3:0:0/3:0:0:0", "1\n", "0\n"},
		DEVICE_REMOVABLE},

	{{"sda", SATA, "0\n", "0\n"}, DEVICE_FIXED},
	{{"sde", SATA, NULL, NULL}, DEVICE_FIXED},
	{{"sdf", SATA, "", NULL}, DEVICE_FIXED},
	{{"sdg", SATA, "10\n", NULL}, DEVICE_FIXED},
	/* "usb" in a name that is no USB port. */
	{{"sdh", PCI "17.0/usbdisk/host2", "0\n", NULL}, DEVICE_FIXED},
	{{"sdi", PCI "17.0/usb/host2", "0\n", NULL}, DEVICE_FIXED},
	{{"sdj", PCI "17.0/xusb1/host2", "0\n", NULL}, DEVICE_FIXED},
	/* eMMC is soldered, whatever it says of itself. */
	{{"mmcblk1", MMC, "1\n", "MMC\n"}, DEVICE_FIXED},
	{{"mmcblk2", MMC, "1\n", NULL}, DEVICE_FIXED},
	{{"mmcblk3", MMC, "1\n", "SDIO\n"}, DEVICE_FIXED},
	{{"mmcblk1boot0", MMC, "1\n", "SD\n"}, DEVICE_FIXED},
	{{"nvme0n1", PCI "1d.0/nvme/nvme0", "1\n", NULL}, DEVICE_FIXED},
	{{"vda", PCI "02.0/virtio0", "1\n", NULL}, DEVICE_FIXED},
	{{"xvda", "vbd-51712", "1\n", NULL}, DEVICE_FIXED},
	{{"fd0", "platform/floppy.0", "1\n", NULL}, DEVICE_FIXED},
	{{"nbd0", "virtual", "1\n", NULL}, DEVICE_FIXED},
	{{"md127", "virtual", "1\n", NULL}, DEVICE_FIXED},
	{{"sd", USB, "1\n", NULL}, DEVICE_FIXED},
	{{"sdb1", USB, "1\n", NULL}, DEVICE_FIXED},
	{{"sr", SATA, "1\n", NULL}, DEVICE_FIXED},
	{{"sr0x", SATA, "1\n", NULL}, DEVICE_FIXED},
};

enum { DISKS = sizeof(disks) / sizeof(disks[0]), CANDIDATES = 7 };

static int setup(void **state)
{
	static struct tree tree;

	tree_make(&tree);
	*state = &tree;
	return 0;
}

static int teardown(void **state)
{
	tree_remove(*state);
	return 0;
}

static void device_every_kind_is_told(void **state)
{
	const struct tree *tree = *state;
	enum device_kind kind;
	size_t i;

	for (i = 0; i < DISKS; i++) {
		tree_add(tree, &disks[i].disk);
		kind = device_classify(tree->sysfs, disks[i].disk.name);
		if (kind != disks[i].kind)
			fail_msg("%s is taken for %s", disks[i].disk.name,
				device_kind_name(kind));
	}
}

static void device_absent_is_fixed(void **state)
{
	const struct tree *tree = *state;

	assert_int_equal(device_classify(tree->sysfs, "sdz"), DEVICE_FIXED);
	assert_int_equal(device_classify("/nowhere", "sda"), DEVICE_FIXED);
	assert_int_equal(device_classify(tree->sysfs, "mmcblk9"), DEVICE_FIXED);
	assert_int_equal(device_classify(tree->sysfs, ""), DEVICE_FIXED);
}

static void device_list_is_sorted_and_whole(void **state)
{
	static const struct tree_disk no_media[] = {
		{"loop0", "virtual", "0\n", NULL},
		{"dm-0", "virtual", "0\n", NULL},
		{"ram0", "virtual", "0\n", NULL},
	};
	const struct tree *tree = *state;
	struct device_list list;
	struct err err;
	size_t i;

	for (i = 0; i < DISKS; i++)
		tree_add(tree, &disks[DISKS - 1 - i].disk);
	for (i = 0; i < 3; i++)
		tree_add(tree, &no_media[i]);
	assert_true(device_list(tree->sysfs, &list, &err));
	assert_int_equal(list.count, DISKS);
	for (i = 1; i < list.count; i++)
		assert_true(list.device[i - 1].kind <= list.device[i].kind);
	assert_string_equal(list.device[0].name, "sr0");
	assert_string_equal(list.device[1].name, "sr12");
	assert_string_equal(list.device[2].name, "sdaa");
	assert_string_equal(list.device[3].name, "sdb");
	assert_int_equal(list.device[CANDIDATES].kind, DEVICE_FIXED);
}

static void device_list_without_sysfs_fails(void **state)
{
	struct device_list list;
	struct err err;

	(void)state;
	assert_false(device_list("/nowhere", &list, &err));
	assert_non_null(strstr(err.text, "/nowhere/block"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			device_every_kind_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			device_absent_is_fixed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			device_list_is_sorted_and_whole, setup, teardown),
		cmocka_unit_test(device_list_without_sysfs_fails),
	};

	return cmocka_run_group_tests_name("init_device", tests, NULL, NULL);
}
