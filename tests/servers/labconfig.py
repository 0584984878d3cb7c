"""The configuration files of the mail lab: Postfix and Dovecot on loopback, cut off from the world.

Recipient domains are the menu of behaviours (all under the reserved TLD .test, RFC 2606):

example.test                        real mailboxes; an unknown user is refused by LMTP (5.1.1)
bounce.test full.test policy.test   permanent failure 5.1.1, 5.2.2, 5.7.1
delay.test                          a warning after 3 s, failure after 12 s
soft.test hard.test slow.test       the next server says 4xx, 5xx, or waits 5 s before each reply
drop.test dropdata.test             the next server hangs up at RCPT, or after the final dot
discard.test                        accepted and thrown away
anything else                       delivered to catchall@example.test, X-Original-To kept

The port `mx` refuses unknown users and the failing domains in the dialogue, as a company's own
server does; `plain`, `submission` and `smtps` accept first and send a DSN, as a provider does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOCAL_DOMAINS = ("example.test",)
CATCHALL = "catchall@example.test"
JWT_KEY = b"dsar-lab-shared-key-for-HS256-00"
SMALL_LIMIT = 300_000
MENU = {
    "bounce.test": "error:5.1.1 The account that you tried to reach does not exist",
    "full.test": "error:5.2.2 The mailbox of the recipient is full",
    "policy.test": "error:5.7.1 Refused by a content filter",
    "delay.test": "retry:4.2.1 Mailbox not available for the moment, try again later",
    "soft.test": "smtp:[127.0.0.1]:{soft}",
    "hard.test": "smtp:[127.0.0.1]:{hard}",
    "drop.test": "smtp:[127.0.0.1]:{drop}",
    "dropdata.test": "smtp:[127.0.0.1]:{dropdata}",
    "slow.test": "smtp:[127.0.0.1]:{slow}",
    "discard.test": "discard:",
}


@dataclass(frozen=True)
class Ports:
    """Every port of one lab, counted from `base`."""

    base: int
    NAMES = (
        *("mx", "plain", "submission", "smtps", "grey", "rate", "small", "imap", "imaps"),
        *("lmtp", "auth", "policy", "sink", "soft", "hard", "drop", "dropdata", "slow"),
    )

    def __getattr__(self, name: str) -> int:
        if name not in Ports.NAMES:
            raise AttributeError(name)
        return self.base + Ports.NAMES.index(name)

    def all(self) -> dict[str, int]:
        """Port by name."""
        return {name: getattr(self, name) for name in Ports.NAMES}


def dovecot(root: Path, ports: Ports, user: str) -> str:
    """dovecot.conf: IMAP, LMTP and the SASL server for Postfix, all as one plain user."""
    here = root / "dovecot"
    return f"""
base_dir = {here}/run
state_dir = {here}/state
instance_name = dsar-lab-{ports.base}
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {user}
default_login_user = {user}
default_vsz_limit = 2G
log_path = {here}/log
ssl = yes
ssl_cert = <{root}/ca/server.pem
ssl_key = <{root}/ca/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{root}/mail/%u
mailbox_list_index = yes
mail_max_userip_connections = 200
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {here}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {here}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={root}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
}}
service lmtp {{
  user = {user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {ports.lmtp}
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {ports.auth}
  }}
}}
service auth-worker {{
  user = {user}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.test
  auth_username_format = %u
}}
"""


def oauth2(root: Path) -> str:
    """Dovecot checks tokens by itself against a key file: no identity provider is asked."""
    return f"""
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={root}/dovecot/keys/
username_attribute = email
"""


def main_cf(root: Path, ports: Ports) -> str:
    """main.cf: no DNS, no route to the outside, short clocks so that notices come in seconds."""
    here = root / "postfix"
    return f"""
compatibility_level = 3.6
queue_directory = {here}/spool
data_directory = {here}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {here}/maillog
maillog_file_prefixes = {root}
multi_instance_directories =
myhostname = mail.example.test
mydomain = example.test
myorigin = example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
recipient_delimiter = +
virtual_mailbox_domains = {" ".join(LOCAL_DOMAINS)}
virtual_mailbox_maps = regexp:{here}/etc/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:{ports.lmtp}
virtual_alias_maps = regexp:{here}/etc/catchall
transport_maps = texthash:{here}/etc/transport
lmtp_destination_recipient_limit = 1
default_transport = error:5.1.2 the lab sends nothing outside
relay_transport = error:5.1.2 the lab relays nothing
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_tls_cert_file = {root}/ca/server.pem
smtpd_tls_key_file = {root}/ca/server.key
smtpd_tls_security_level = may
smtp_tls_security_level = none
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{ports.auth}
smtpd_sasl_auth_enable = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = yes
smtpd_error_sleep_time = 0
smtputf8_enable = yes
message_size_limit = 26214400
mailbox_size_limit = 0
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
delay_warning_time = 3s
maximal_queue_lifetime = 12s
bounce_queue_lifetime = 12s
in_flow_delay = 0
default_process_limit = 50
smtpd_client_event_limit_exceptions =
anvil_rate_time_unit = 10s
"""


def master_cf(ports: Ports) -> str:
    """master.cf: one smtpd per behaviour, and the daemons Postfix needs."""
    later = "  -o smtpd_reject_unlisted_recipient=no"
    login = (
        f"{later}\n  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_tls_auth_only=yes\n"
        "  -o mynetworks=\n"
        "  -o { smtpd_relay_restrictions=permit_sasl_authenticated, reject }"
    )
    grey = f"check_policy_service inet:127.0.0.1:{ports.policy}, permit"
    listeners = {
        ports.mx: "",
        ports.plain: later,
        ports.grey: f"  -o {{ smtpd_recipient_restrictions={grey} }}",
        ports.rate: "  -o smtpd_client_message_rate_limit=5",
        ports.small: f"  -o message_size_limit={SMALL_LIMIT}",
        ports.submission: f"  -o smtpd_tls_security_level=encrypt\n{login}",
        ports.smtps: f"  -o smtpd_tls_wrappermode=yes\n{login}",
    }
    blocks = [
        f"127.0.0.1:{port} inet n - n - - smtpd\n{options}" for port, options in listeners.items()
    ]
    return "\n".join(blocks) + _DAEMONS


def transport(ports: Ports) -> str:
    """The menu as a transport table."""
    return "".join(f"{key} {value.format(**ports.all())}\n" for key, value in MENU.items())


def catchall() -> str:
    """Every address outside our own domains and the menu goes to one mailbox."""
    known = "|".join(name.replace(".", "\\.") for name in (*LOCAL_DOMAINS, *MENU))
    return f"if !/@({known})$/\n/@/ {CATCHALL}\nendif\n"


def mailboxes(users: tuple[str, ...]) -> str:
    """Known local users, and `u1`, `u2`, …: the pool from which each test takes its own."""
    fixed = "".join(f"/^{user.replace('.', chr(92) + '.')}$/ OK\n" for user in users)
    return fixed + "/^u[0-9]+@example\\.test$/ OK\n"


_DAEMONS = """
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
lmtp      unix  - - n - - lmtp
  flags=O
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
