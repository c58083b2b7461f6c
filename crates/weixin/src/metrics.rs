//! All numbers in the text format of Prometheus.

use std::fmt::Write as _;

use contract::{AccountId, AccountState, AccountStatus, OutboxEntry, PeerStatus};

use crate::status::Tally;

/// One number of each account.
struct Gauge {
    name: &'static str,
    help: &'static str,
    of: fn(&AccountStatus) -> Option<i64>,
}

const GAUGES: &[Gauge] = &[
    Gauge {
        name: "inbox_waiting",
        help: "Messages whose turn has not ended",
        of: |status| count(status.inbox),
    },
    Gauge {
        name: "inbox_failed",
        help: "Messages that could not be handled",
        of: |status| count(status.failed),
    },
    Gauge {
        name: "outbox_waiting",
        help: "Messages that wait to leave",
        of: |status| count(status.outbox),
    },
    Gauge {
        name: "outbox_parked",
        help: "Messages that are parked",
        of: |status| count(status.parked),
    },
    Gauge {
        name: "peers_suppressed",
        help: "Peers to whom sends seem not to show",
        of: |status| count(status.suppressed),
    },
    Gauge {
        name: "last_poll_timestamp_ms",
        help: "When the backend last answered a poll",
        of: |status| status.last_poll_at_ms,
    },
    Gauge {
        name: "last_inbound_timestamp_ms",
        help: "When the last message came in",
        of: |status| status.last_inbound_at_ms,
    },
    Gauge {
        name: "last_outbound_timestamp_ms",
        help: "When the backend last confirmed a send",
        of: |status| status.last_outbound_at_ms,
    },
];

const STATES: [&str; 5] = ["stopped", "starting", "polling", "degraded", "needs_login"];

/// Writes everything down.
pub(crate) fn text(
    accounts: &[AccountStatus],
    peers: &[PeerStatus],
    outbox: &[OutboxEntry],
) -> String {
    let mut text = String::new();
    head(&mut text, "account_state", "1 for the state that the account is in");
    for status in accounts {
        for state in STATES {
            let is_it = i64::from(word(&status.state) == state);
            line(
                &mut text,
                "account_state",
                &[("account", status.account.as_str()), ("state", state)],
                is_it,
            );
        }
    }
    for gauge in GAUGES {
        head(&mut text, gauge.name, gauge.help);
        for status in accounts {
            if let Some(value) = (gauge.of)(status) {
                line(&mut text, gauge.name, &[("account", status.account.as_str())], value);
            }
        }
    }
    peer_lines(&mut text, peers);
    head(&mut text, "outbox_given_up", "Messages that were given up in the last two days");
    let given_up =
        |entry: &&OutboxEntry| matches!(entry.delivery, contract::Delivery::Failed { .. });
    let n = outbox.iter().filter(given_up).count();
    line(&mut text, "outbox_given_up", &[], count(n as u64).unwrap_or(0));
    text
}

/// Writes down what became of the polls of each account since it was started.
pub(crate) fn polls(text: &mut String, tallies: &[(AccountId, Tally)]) {
    text.push_str("# HELP weixin_polls_total How polls ended since the start of the account\n");
    text.push_str("# TYPE weixin_polls_total counter\n");
    for (account, tally) in tallies {
        let counts = [
            ("answered", tally.answered),
            ("left", tally.left),
            ("woken", tally.woken),
            ("gave_up", tally.give_ups),
            ("unreachable", tally.unreachable),
            ("garbled", tally.garbled),
            ("refused", tally.refused),
            ("unstored", tally.unstored),
        ];
        for (how, n) in counts {
            let labels = [("account", account.as_str()), ("how", how)];
            line(text, "polls_total", &labels, count(n).unwrap_or(i64::MAX));
        }
    }
}

fn peer_lines(text: &mut String, peers: &[PeerStatus]) {
    type Number = fn(&PeerStatus) -> Option<i64>;
    let numbers: [(&str, &str, Number); 3] = [
        ("peer_window_left_ms", "How long the peer can still be written to", |peer| {
            peer.window_left_ms
        }),
        ("peer_sends_left", "Sends left until the peer writes", |peer| {
            peer.sends_left.map(i64::from)
        }),
        ("peer_unconfirmed", "Sends in a row without a receipt", |peer| {
            Some(peer.unconfirmed.into())
        }),
    ];
    for (name, help, number) in numbers {
        head(text, name, help);
        for peer in peers {
            let Some(value) = number(peer) else { continue };
            let at = &peer.conversation;
            line(
                text,
                name,
                &[("account", at.account.as_str()), ("peer", at.peer.as_str())],
                value,
            );
        }
    }
}

fn head(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP weixin_{name} {help}\n# TYPE weixin_{name} gauge\n"));
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: i64) {
    let labels: Vec<_> =
        labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    // Writing to a string cannot fail.
    writeln!(text, "weixin_{name}{labels} {value}").unwrap_or_default();
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn word(state: &AccountState) -> &'static str {
    match state {
        AccountState::Stopped => "stopped",
        AccountState::Starting => "starting",
        AccountState::Polling => "polling",
        AccountState::Degraded { .. } => "degraded",
        AccountState::NeedsLogin { .. } => "needs_login",
    }
}

fn count(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}
