# SPDX-License-Identifier: ISC
# layout.awk -v length=BYTES: where everything in the ISO named by the
# environment's ISO lies (ECMA-119, El Torito, Rock Ridge names, GPT), one a line:
#   field NAME VALUE         of the primary volume descriptor
#   file OFFSET SIZE PATH    a file, also an empty one
#   range OFFSET SIZE NAME   what is no file and is known
#   size BYTES               of the ISO by its own account
# Read with od, since awk has no bytes.  LC_ALL=C.
function load(offset, count,    command, line, n, i, word) {
	if (offset < 0 || offset + count > length_) wrong("its tables point behind its end")
	command = "od -An -v -tu1 -w4096 -j" sprintf("%.0f", offset) " -N" sprintf("%.0f", count) " -- \"$ISO\""
	n = 0
	while ((command | getline line) > 0) {
		split("", word)
		m = split(line, word, " ")
		for (i = 1; i <= m; i++) byte[n++] = word[i]
	}
	close(command)
	if (n != count) { failed = 1; exit 1 }
}
function wrong(text) { print "error " text; failed = 1; exit 3 }
function le(at, n,    v) { v = 0; while (n-- > 0) v = v * 256 + byte[at + n]; return v }
function be(at, n,    v, i) { v = 0; for (i = 0; i < n; i++) v = v * 256 + byte[at + i]; return v }
function text(at, n,    s, i) {
	s = ""
	for (i = 0; i < n; i++) s = s (byte[at + i] >= 32 && byte[at + i] < 127 && byte[at + i] != 92 ? \
		sprintf("%c", byte[at + i]) : sprintf("\\x%02x", byte[at + i]))
	sub(/ +$/, "", s)
	return s
}
function put(kind, offset, size, name) { printf "%s %.0f %.0f %s\n", kind, offset, size, name }
function gpt(at, name,    entries, bytes) {
	load(at, 512)
	if (text(0, 8) != "EFI PART") return 0
	other = le(32, 8) * 512
	entries = le(72, 8) * 512
	bytes = le(80, 4) * le(84, 4)
	put("range", at, 512, name " header")
	if (bytes > 0 && bytes <= 65536 && entries + bytes <= length_) put("range", entries, bytes, name " entries")
	return 1
}
# The name that Rock Ridge gives a record, else its own without the version.
function name_of(at, len, name_len,    p, end, s) {
	s = ""
	p = at + 33 + name_len + (name_len % 2 == 0)
	end = at + len
	while (p + 4 <= end && byte[p + 2] >= 4) {
		if (byte[p] == 78 && byte[p + 1] == 77) s = s text_raw(p + 5, byte[p + 2] - 5)
		p += byte[p + 2]
	}
	if (s != "") return s
	s = text_raw(at + 33, name_len)
	sub(/;[0-9]+$/, "", s)
	sub(/\.$/, "", s)
	return s
}
function text_raw(at, n,    s, i) {
	s = ""
	for (i = 0; i < n; i++) s = s (byte[at + i] > 32 && byte[at + i] != 92 && byte[at + i] < 127 ? \
		sprintf("%c", byte[at + i]) : sprintf("\\x%02x", byte[at + i]))
	return s
}
function directory(extent, size, path,    p, n, len, name_len, name, k, what, where, big, first) {
	if (++directories > 4096) wrong("has more than 4096 directories")
	if (size > 1048576) wrong("a directory is larger than a mebibyte")
	if (extent in seen_directory) wrong("a directory is within itself")
	seen_directory[extent] = 1
	put("range", extent * 2048, size, "directory " (path == "" ? "/" : path))
	load(extent * 2048, size)
	n = 0
	for (p = 0; p < size; ) {
		len = byte[p]
		if (len == 0) { p = (int(p / 2048) + 1) * 2048; continue }
		if (len < 34 || p + len > size) wrong("directory " path ": a record is damaged")
		name_len = byte[p + 32]
		if (33 + name_len > len) wrong("directory " path ": a record is damaged")
		if (!(name_len == 1 && byte[p + 33] <= 1)) {
			n++
			what[n] = int(byte[p + 25] / 2) % 2 ? "directory" : "file"
			where[n] = le(p + 2, 4)
			big[n] = le(p + 10, 4)
			name[n] = path "/" name_of(p, len, name_len)
		}
		p += len
	}
	for (k = 1; k <= n; k++) {
		if (what[k] == "directory") directory(where[k], big[k], name[k])
		else put("file", where[k] * 2048, big[k], name[k])
	}
}
BEGIN {
	length_ = length_ + 0
	if (length_ < 34 * 1024) wrong("is too short for an ISO")
	put("range", 0, 440, "MBR boot code")
	put("range", 440, 72, "MBR partition table")
	if (gpt(512, "GPT") && other + 512 <= length_) gpt(other, "GPT backup")
	for (sector = 16; ; sector++) {
		if (sector > 100) wrong("has no end of its volume descriptors")
		load(sector * 2048, 2048)
		if (text(1, 5) != "CD001") wrong("is no ISO: no descriptor in sector " sector)
		kind = byte[0]
		if (kind == 255) break
		if (kind == 0) {
			put("range", sector * 2048, 2048, "boot record")
			catalog = le(71, 4)
			put("range", catalog * 2048, 2048, "boot catalog")
		} else if (kind == 1 && !primary) {
			primary = sector
			put("range", sector * 2048, 2048, "primary volume descriptor")
			size = le(80, 4) * 2048
			printf "size %.0f\n", size
			print "field system-id " text(8, 32)
			print "field volume-id " text(40, 32)
			print "field volume-set-id " text(190, 128)
			print "field publisher-id " text(318, 128)
			print "field preparer-id " text(446, 128)
			print "field application-id " text(574, 128)
			print "field created " text(813, 16)
			print "field modified " text(830, 16)
			put("range", le(140, 4) * 2048, le(132, 4), "path table, little-endian")
			put("range", be(148, 4) * 2048, le(132, 4), "path table, big-endian")
			root = le(158, 4)
			root_size = le(166, 4)
		} else put("range", sector * 2048, 2048, "volume descriptor of type " kind)
	}
	put("range", sector * 2048, 2048, "end of volume descriptors")
	if (!primary) wrong("has no primary volume descriptor")
	directory(root, root_size, "")
}
