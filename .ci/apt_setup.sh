#!/usr/bin/env bash
# Installs the Debian packages that the tests with real servers need; starts no daemon.
# Run as root. Does nothing, quickly, where all of them are there.
set -euo pipefail
packages=(postfix dovecot-core dovecot-imapd dovecot-lmtpd postgrey openssl postgresql
          chromium chromium-driver)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" != 0 ]; then echo "apt_setup.sh: run as root to install: ${missing[*]}" >&2; exit 1; fi

# 101 tells invoke-rc.d that nothing may be started; a policy of the machine's own stays as it is
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
