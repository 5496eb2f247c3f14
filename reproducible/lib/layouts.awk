# SPDX-License-Identifier: ISC
# layouts.awk A B: what differs between two records of image/lib/layout, in words,
# one a line, "PART<tab>WORDS"; the part is the first thing to look at.  Nothing is
# printed where nothing differs.
function say(part, words) { print part "\t" words; said++ }
function part_of(path) {
	if (path == "/live/vmlinuz") return "kernel"
	if (path == "/live/initrd") return "initrd"
	if (path == "/live/root.squashfs") return "root"
	if (path == "/boot/efi.img") return "EFI image"
	if (path == "/boot/grub/bios.img") return "El Torito image"
	if (path == "/boot/grub/grub.cfg") return "menu"
	if (path == "/boot/grub/menu.pf2") return "font of the menu"
	if (path == "/boot.catalog") return "El Torito catalog"
	return "file"
}
function split_line(first,    i) { # name from word first on
	name = $first
	for (i = first + 1; i <= NF; i++) name = name " " $i
}
# One of them may have no line.
BEGIN { ARGV[4] = ARGV[2]; ARGV[3] = "side=2"; ARGV[2] = ARGV[1]; ARGV[1] = "side=1"; ARGC = 5 }
{
	kind = $1
	if (kind == "size") { key = "size"; value = $2 }
	else if (kind == "field" || kind == "command") {
		key = kind SUBSEP $2
		split_line(3)
		value = NF > 2 ? name : ""
	} else if (kind == "file" || kind == "range" || kind == "part") {
		split_line(5)
		key = kind SUBSEP name
		value = $4
		where[side, key] = $2
		size[side, key] = $3
		if ($2 + $3 > end[side]) end[side] = $2 + $3
	} else next
	if ((side, key) in has) { many[key]++; key = key SUBSEP many[key] }
	has[side, key] = value
	if (!(key in known)) { known[key] = ++count; keys[count] = key }
}
# The words that one has and the other has not: "A" became "B".
function changed_words(a, b,    n, m, i, x, y, left, right, gone, came) {
	n = split(a, x, " ")
	m = split(b, y, " ")
	for (i = 1; i <= n; i++) left[x[i]]++
	for (i = 1; i <= m; i++) right[y[i]]++
	for (i = 1; i <= n; i++) if (!(x[i] in right)) gone = gone (gone == "" ? "" : " ") x[i]
	for (i = 1; i <= m; i++) if (!(y[i] in left)) came = came (came == "" ? "" : " ") y[i]
	if (gone == "" && came == "") return "the same words in another order or number"
	return "\"" gone "\" became \"" came "\""
}
function both(key) { return (1, key) in has && (2, key) in has }
function differs(key) { return both(key) && has[1, key] != has[2, key] }
function only(key) { return !both(key) }
# Is this a gap with which the second ends, behind where the first does?
function appended(key) {
	return substr(key, 1, 9) == "range" SUBSEP "gap" && (2, key) in has && where[2, key] + size[2, key] == end[2] && end[2] > end[1]
}
END {
	for (i = 1; i <= count; i++) {
		split(keys[i], word, SUBSEP)
		if (word[1] == "command" && differs(keys[i])) {
			how = changed_words(has[1, keys[i]], has[2, keys[i]])
			if (!(how in entries)) hows[++ways] = how
			entries[how] = entries[how] (entries[how] == "" ? "" : ", ") word[2]
			commands++
		} else if (word[1] == "command" && only(keys[i])) {
			say("menu", "entry " word[2] " is in " ((1, keys[i]) in has ? "the first" : "the second") " alone")
			commands++
		} else if (word[1] == "field" && differs(keys[i])) {
			shown = word[2]
			gsub(/-/, " ", shown)
			say(word[2] == "volume-id" ? "volume id" : "descriptor", shown ": \"" has[1, keys[i]] "\" became \"" has[2, keys[i]] "\"")
			fields++
		} else if (word[1] == "file" && only(keys[i])) {
			say(((1, keys[i]) in has ? "removed" : "added") " file", word[2])
			moved = 1
		} else if (word[1] == "file" && where[1, keys[i]] != where[2, keys[i]]) {
			moved = 1
		}
	}
	for (i = 1; i <= ways; i++) say("kernel command line", "of " entries[hows[i]] ": " hows[i])
	split_root = differs("part" SUBSEP "/live/root.squashfs: squashfs") || differs("part" SUBSEP "/live/root.squashfs: hash tree") ||
		differs("part" SUBSEP "/live/root.squashfs: parity")
	for (i = 1; i <= count; i++) {
		split(keys[i], word, SUBSEP)
		key = keys[i]
		if (!differs(key)) continue
		if (word[1] == "file") {
			part = part_of(word[2])
			if (part == "menu" && commands) continue
			if (part == "root" && split_root) continue
			if (part == "El Torito catalog") continue
			bytes = size[1, key] == size[2, key] ? "" : ", " size[1, key] " bytes became " size[2, key]
			say(part, word[2] " has other contents" bytes)
			changed++
			if (size[1, key] != size[2, key]) moved = 1
		} else if (word[1] == "part") {
			what = word[2]
			sub(/^[^:]*: /, "", what)
			say(what == "squashfs" ? "root" : what == "hash tree" ? "verity tree" : what, word[2] " has other contents")
			changed++
		}
	}
	if (has[1, "size"] != has[2, "size"]) {
		resized = 1
		say("size", "of the ISO by its own account: " has[1, "size"] " became " has[2, "size"])
	}
	for (i = 1; i <= count; i++) {
		split(keys[i], word, SUBSEP)
		key = keys[i]
		if (word[1] != "range") continue
		if (word[2] ~ /^behind the ISO/) {
			if ((2, key) in has && !((1, key) in has)) say("appended data", size[2, key] " bytes behind the ISO")
			else if (differs(key)) say("appended data", "other bytes behind the ISO")
			continue
		}
		if (appended(key)) {
			say("appended data", end[2] - end[1] " bytes at the end, which no file claims")
			continue
		}
		# Where files moved, the tables of the file system that say where they are differ
		# too.  What a firmware goes by to boot is named all the same: whether no more
		# than a place in it differs is not known here.
		if (moved && word[2] ~ /^(directory|path table|primary|gap)/) continue
		if ((fields || resized) && word[2] ~ /^primary/) continue
		if (differs(key)) say(word[2] ~ /^boot (record|catalog)/ ? "El Torito catalog" : word[2] ~ /^directory/ ? "directory" : "range", \
			word[2] " at byte " where[2, key] " has other contents")
		else if (only(key)) say("layout", word[2] " is in " ((1, key) in has ? "the first" : "the second") " alone")
	}
	for (i = 1; i <= count && !said; i++)
		if (both(keys[i]) && where[1, keys[i]] != where[2, keys[i]]) say("layout", keys[i] " moved")
}
