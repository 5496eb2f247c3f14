#!/bin/sh
# SPDX-License-Identifier: ISC
# Say what the network may be: nothing, or this machine and its HSM (the
# profile's settings), or a printer.  The rules; hsm-network chooses.
# Phase: after identity.  Reads: ROOT SRC PROFILE.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

NETWORK_ADDRESS=192.168.0.1/24 HSM_ADDRESS=192.168.0.2 HSM_PORTS=5000
# shellcheck source=image/profiles/console/settings
. "$SRC/image/profiles/$PROFILE/settings"

printf '127.0.0.1\tlocalhost keyroom\n%s\thsm\n' "$HSM_ADDRESS" >"$ROOT/etc/hosts"
cat >"$ROOT/etc/keyroom-network" <<END
NETWORK_ADDRESS=$NETWORK_ADDRESS
HSM_ADDRESS=$HSM_ADDRESS
HSM_PORTS="$HSM_PORTS"
END
mkdir -p "$ROOT/usr/share/keyroom"
cat >"$ROOT/usr/share/keyroom/closed.nft" <<'END'
# Nothing in, nothing out, but what the machine says to itself.
flush ruleset
table inet keyroom {
	chain input { type filter hook input priority 0; policy drop; iifname "lo" accept; }
	chain forward { type filter hook forward priority 0; policy drop; }
	chain output { type filter hook output priority 0; policy drop; oifname "lo" accept; }
}
table arp keyroom {
	chain input { type filter hook input priority 0; policy drop; }
	chain output { type filter hook output priority 0; policy drop; }
}
END
cat >"$ROOT/usr/share/keyroom/open.nft" <<'END'
# On top of closed.nft: these ports of this address, and whether it is there.
# Only this side opens connections.
table inet keyroom {
	chain output {
		ip daddr $address tcp dport $ports accept
		ip daddr $address icmp type echo-request accept
	}
	chain input {
		ip saddr $address tcp sport $ports tcp flags & (syn | ack) != syn accept
		ip saddr $address icmp type echo-reply accept
	}
}
table arp keyroom {
	chain input { arp saddr ip $address accept; }
	chain output { arp daddr ip $address accept; }
}
END
rm -f "$ROOT/etc/nftables.conf"
# Without --check: that would ask this machine's kernel.
[ "$(grep -c 'policy drop' "$ROOT/usr/share/keyroom/closed.nft")" = 5 ]
[ -x "$ROOT/usr/sbin/nft" ]
grep -q "^$HSM_ADDRESS	hsm$" "$ROOT/etc/hosts"
