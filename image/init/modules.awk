# SPDX-License-Identifier: ISC
# Load order of the modules in a list, each after what it depends on.
# Reads modules.builtin, modules.dep and the list, in that order;
# prints "path parameters" a line, relative to the tree.
# A name that is neither built in nor a module ends with exit status 1; so do
# parameters for a module that another has already pulled in without them.

function base(path)
{
	sub(/.*\//, "", path)
	sub(/\.ko(\.(xz|zst|gz))?$/, "", path)
	gsub(/-/, "_", path)
	return path
}

# Depth first: what a module needs is printed before it, everything once.
function emit(name, parameters,    words, count, i)
{
	if (name in done)
		return
	done[name] = 1
	count = split(needs[name], words, " ")
	for (i = count; i >= 1; i--)
		emit(base(words[i]), "")
	print path[name] (parameters == "" ? "" : " " parameters)
}

{ sub(/#.*/, "") }
NF == 0 { next }

FILENAME ~ /modules\.builtin$/ { builtin[base($1)] = 1; next }

FILENAME ~ /modules\.dep$/ {
	file = $1
	sub(/:$/, "", file)
	path[base(file)] = file
	$1 = ""
	needs[base(file)] = $0
	next
}

{
	name = base($1)
	$1 = ""
	sub(/^ +/, "")
	if (name in done && $0 != "") {
		print "modules.awk: too late for parameters: " name > "/dev/stderr"
		failed = 1
	} else if (name in path) {
		emit(name, $0)
	} else if (!(name in builtin)) {
		print "modules.awk: no such module: " name > "/dev/stderr"
		failed = 1
	}
}

END { exit failed }
