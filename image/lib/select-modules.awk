# SPDX-License-Identifier: ISC
# awk -f select-modules.awk modules.keep modules.dep: the module files to keep.
# The rules are described in modules.keep.

FNR == NR {
	sub(/[ \t]*#.*/, "")
	if ($0 == "")
		next
	out = sub(/^!/, "")
	rule[$0] = out ? "out" : "in"
	next
}

{
	file = $1
	sub(/:$/, "", file)
	files[++n] = file
	needs[file] = ""
	for (i = 2; i <= NF; i++)
		needs[file] = needs[file] " " $i
}

# verdict(FILE): "in", "out", or "" where no rule fits; the longest decides.
function verdict(file,    path, best, r)
{
	path = substr(file, 8)	# without "kernel/"
	best = ""
	for (r in rule)
		if (index(path, r) == 1 && length(r) > length(best))
			best = r
	return best == "" ? "" : rule[best]
}

END {
	for (i = 1; i <= n; i++) {
		if (verdict(files[i]) != "in")
			continue
		count = split(needs[files[i]], dep, " ")
		ok = 1
		for (d = 1; d <= count; d++)
			if (verdict(dep[d]) == "out")
				ok = 0
		if (!ok)
			continue
		kept[files[i]] = 1
		for (d = 1; d <= count; d++)
			kept[dep[d]] = 1
	}
	for (i = 1; i <= n; i++)
		if (files[i] in kept)
			print files[i]
}
