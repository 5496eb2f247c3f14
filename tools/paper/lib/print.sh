# SPDX-License-Identifier: ISC
# How printlog, print-script and print-ttyaudit reach the printer; source it
# after tool.sh.  The queue is HP, as ceremony scripts say, or KEYROOM_QUEUE.
# shellcheck shell=sh
QUEUE=${KEYROOM_QUEUE:-HP}

# need_queue: is there a printer, and known what it takes?  A raw queue hands on the
# PDF as it is, and CUPS makes one of what it knows nothing of.
need_queue()
{
	lpstat -p "$QUEUE" >/dev/null 2>&1 ||
		die "$OUTPUT" "there is no printer queue $QUEUE: run configure-printer"
	case $(lpoptions -p "$QUEUE" 2>/dev/null) in
	*"printer-make-and-model='Local Raw Printer'"*)
		die "$OUTPUT" "what the printer of $QUEUE takes is not known: run configure-printer" ;;
	esac
}

check_copies()
{
	case $1 in
	[1-9] | [1-9][0-9]) ;;
	*) die "$USAGE" "copies: \"$1\" is not a number from 1 to 99" ;;
	esac
}

# submit FILE TITLE [COPIES]: one job, collated.  Without COPIES the queue's
# default holds, which scripts set with "lpadmin -o copies-default=5".
submit()
{
	set -- "$1" "$(visible "$2" | cut -c1-120)" ${3:+"$3"}
	if ! job=$(lp -d "$QUEUE" -o collate=true -t "$2" ${3:+-n "$3"} -- "$1" 2>&1); then
		die "$OUTPUT" "not printed: $job"
	fi
	job=${job#request id is }
	job=${job%% *}
}

# print_main KIND ARGUMENT...: KIND is text2pdf's option, or "text".
print_main()
{
	kind=$1 title=''
	shift
	common_options "$@"
	while [ $# -gt 0 ]; do
		case $1 in
		--title=*) title=${1#*=} ;;
		--title)
			[ $# -ge 2 ] || die "$USAGE" '--title needs a value'
			title=$2
			shift ;;
		--) shift; break ;;
		-?*) die "$USAGE" "unknown option $1" ;;
		*) break ;;
		esac
		shift
	done
	[ $# -ge 1 ] && [ $# -le 2 ] || die "$USAGE" 'give a file, and how many copies if wanted'
	[ $# -eq 1 ] || check_copies "$2"
	[ -n "$title" ] || title=${1##*/}
	need_queue
	pdf=$(mktemp)
	trap 'rm -f -- "$pdf"' EXIT
	case $kind in
	text) set -- '' "$@" ;;
	*) set -- "--$kind" "$@" ;;
	esac
	text2pdf ${1:+"$1"} --title="$title" -- "$2" >"$pdf" || exit $?
	submit "$pdf" "$title" ${3:+"$3"}
	# What the PDF says of itself.
	subject=$(grep -a -o -m 1 'SHA256:[0-9a-f]*, [0-9]* pages' "$pdf")
	sum=${subject%%,*} pages=${subject#*, }
	sum=${sum#SHA256:} pages=${pages% pages}
	printf 'Printing:   %s\n' "$(visible "$title")"
	printf 'Job:        %s, pages: %s, copies: %s\n' "$job" "$pages" "${3:-as the queue says}"
	printf 'SHA-256:    %s\n' "$sum"
	remark "$job: $title, pages $pages, copies ${3:-default}, SHA-256 $sum"
	remarked
}
