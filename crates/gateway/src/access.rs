//! Who is heard.

use std::collections::{BTreeMap, BTreeSet};

use contract::{ChannelId, Conversation, PeerId, Sender};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

mod commands;
mod entries;
mod refusals;

pub use self::commands::{Authority, OwnerToConfigure};
pub(crate) use self::entries::folded;
pub(crate) use self::refusals::Refusals;
pub use self::refusals::{Refusal, Refused};

use self::commands::CommandAccess;
use self::entries::Entries;
use crate::route::account_name;

/// Who is heard: `channels` and `commands` of a configuration. Other keys are
/// passed over.
///
/// Empty admits nobody, under every policy. The owner of an account is admitted
/// to it, unless the policy is `disabled`. Peers are compared in any case, since
/// a person may have copied an id from where it is in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AccessSettings {
    channels: BTreeMap<String, Section>,
    commands: CommandAccess,
    /// Admitted on every channel and account, whatever the configuration says.
    #[serde(skip)]
    everywhere: BTreeSet<String>,
    /// Admitted where they stand: channel, account and peer.
    #[serde(skip)]
    somewhere: BTreeSet<(ChannelId, String, String)>,
}

/// What is done with those who are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmPolicy {
    /// They get a code, by which somebody can admit them.
    #[default]
    Pairing,
    /// They are not heard.
    Allowlist,
    /// They are not heard, unless `*` is listed: it says on purpose that
    /// everybody is.
    Open,
    /// Nobody is heard, listed or not.
    Disabled,
}

/// What the settings say of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Heard.
    Admit(Ground),
    /// Not heard.
    Refuse(Reason),
    /// Heard when somebody has approved of them; else they get a code.
    AskApproval,
}

/// Why a sender is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// They logged the account in.
    Owner,
    /// The configuration lists them.
    Listed,
    /// The configuration lists everybody.
    Anyone,
}

/// Why a sender is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The policy is `disabled`.
    Disabled,
    /// They are not on the list.
    NotListed,
    /// They have a code, and nobody has approved of them yet.
    AwaitsApproval,
    /// They get no code, since enough others wait for an approval already.
    TooManyWait,
}

impl AccessSettings {
    /// Admits these peers, on every channel and account; all others by code.
    #[must_use]
    pub fn allowing(peers: impl IntoIterator<Item = PeerId>) -> Self {
        Self::default().and_allowing(peers)
    }

    /// Admits these peers besides, on every channel and account.
    #[must_use]
    pub fn and_allowing(mut self, peers: impl IntoIterator<Item = PeerId>) -> Self {
        self.everywhere.extend(peers.into_iter().map(|peer| folded(peer.as_str())));
        self
    }

    /// Admits these peers besides, each on its channel and account only.
    #[must_use]
    pub fn and_allowing_at(mut self, places: impl IntoIterator<Item = Conversation>) -> Self {
        self.somewhere.extend(places.into_iter().map(|place| folded_place(&place)));
        self
    }

    /// Says whether a sender is heard, before anybody looks up approvals.
    #[must_use]
    pub fn decide(&self, sender: &Sender) -> Decision {
        let (policy, listed) = self.rules_for(sender);
        let (channel, peer) = (&sender.conversation.channel, &sender.conversation.peer);
        if policy == DmPolicy::Disabled {
            return Decision::Refuse(Reason::Disabled);
        }
        if sender.is_owner {
            return Decision::Admit(Ground::Owner);
        }
        let is_allowed = self.everywhere.contains(&folded(peer.as_str()))
            || self.somewhere.contains(&folded_place(&sender.conversation));
        if is_allowed || listed.name(channel, peer) {
            return Decision::Admit(Ground::Listed);
        }
        if listed.name_anyone() {
            return Decision::Admit(Ground::Anyone);
        }
        match policy {
            DmPolicy::Pairing => Decision::AskApproval,
            DmPolicy::Allowlist | DmPolicy::Open | DmPolicy::Disabled => {
                Decision::Refuse(Reason::NotListed)
            }
        }
    }

    /// Returns the policy where a sender writes.
    #[must_use]
    pub fn policy(&self, sender: &Sender) -> DmPolicy {
        self.rules_for(sender).0
    }

    /// Returns what in the sections could not be read, with its place. Such a
    /// section admits owners and nobody else.
    pub fn faults(&self) -> impl Iterator<Item = String> {
        self.channels.iter().filter_map(|(channel, section)| match section {
            Section::Read(_) => None,
            Section::Unreadable(why) => Some(format!("channels.{channel}: {why}")),
        })
    }

    /// What an account says stands in for what its channel says, key by key.
    fn rules_for(&self, sender: &Sender) -> (DmPolicy, &Entries) {
        let channel = sender.conversation.channel.as_str();
        let section = self.channels.iter().find(|(name, _)| name.eq_ignore_ascii_case(channel));
        let section = match section {
            None => return (DmPolicy::default(), Entries::none()),
            Some((_, Section::Unreadable(_))) => return (DmPolicy::Allowlist, Entries::none()),
            Some((_, Section::Read(section))) => section,
        };
        let name = account_name(sender.conversation.account.as_str());
        let account = section.accounts.iter().find(|(id, _)| account_name(id) == name);
        let account = account.map(|(_, account)| account);
        let policy = account.and_then(|it| it.dm_policy).or(section.dm_policy);
        let listed = account.and_then(|it| it.allow_from.as_ref()).or(section.allow_from.as_ref());
        (policy.unwrap_or_default(), listed.unwrap_or(Entries::none()))
    }
}

/// As peers and accounts are compared.
fn folded_place(place: &Conversation) -> (ChannelId, String, String) {
    let Conversation { channel, account, peer } = place;
    (channel.clone(), account_name(account.as_str()), folded(peer.as_str()))
}

/// One section of `channels`. One that cannot be read takes no other with it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Section {
    Read(ChannelAccess),
    Unreadable(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ChannelAccess {
    dm_policy: Option<DmPolicy>,
    allow_from: Option<Entries>,
    accounts: BTreeMap<String, AccountAccess>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AccountAccess {
    dm_policy: Option<DmPolicy>,
    allow_from: Option<Entries>,
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = Option::<Value>::deserialize(deserializer)?;
        let Some(section) = section else { return Ok(Self::Read(ChannelAccess::default())) };
        Ok(match serde_json::from_value(section) {
            Ok(section) => Self::Read(section),
            Err(err) => Self::Unreadable(err.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sender(account: &str, peer: &str, is_owner: bool) -> Sender {
        let conversation =
            Conversation { channel: "post".into(), account: account.into(), peer: peer.into() };
        Sender { conversation, turn: "t".into(), is_owner }
    }

    fn settings(section: Value) -> AccessSettings {
        serde_json::from_value(json!({"channels": {"post": section}, "session": {}})).unwrap()
    }

    fn decide(section: Value, peer: &str) -> Decision {
        settings(section).decide(&sender("bot", peer, false))
    }

    const ASK: Decision = Decision::AskApproval;
    const LISTED: Decision = Decision::Admit(Ground::Listed);
    const ANYONE: Decision = Decision::Admit(Ground::Anyone);
    const NOT_LISTED: Decision = Decision::Refuse(Reason::NotListed);
    const DISABLED: Decision = Decision::Refuse(Reason::Disabled);

    #[test]
    fn an_empty_list_admits_nobody_under_any_policy() {
        for list in [json!({}), json!({"allowFrom": []}), json!({"allowFrom": ["", "  "]})] {
            for (policy, expected) in [
                ("pairing", ASK),
                ("allowlist", NOT_LISTED),
                ("open", NOT_LISTED),
                ("disabled", DISABLED),
            ] {
                let mut section = list.clone();
                section["dmPolicy"] = json!(policy);
                assert_eq!(decide(section.clone(), "p"), expected, "{section}");
                assert_eq!(decide(section.clone(), ""), expected, "{section}");
            }
        }
        assert_eq!(AccessSettings::default().decide(&sender("bot", "p", false)), ASK);
    }

    #[test]
    fn the_owner_is_admitted_unless_the_channel_is_disabled() {
        for policy in ["pairing", "allowlist", "open"] {
            let settings = settings(json!({"dmPolicy": policy, "allowFrom": ["someone"]}));
            let decision = settings.decide(&sender("bot", "p", true));
            assert_eq!(decision, Decision::Admit(Ground::Owner), "{policy}");
        }
        let disabled = settings(json!({"dmPolicy": "disabled", "allowFrom": ["*", "p"]}));
        assert_eq!(disabled.decide(&sender("bot", "p", true)), DISABLED);
        assert_eq!(disabled.decide(&sender("bot", "p", false)), DISABLED);
    }

    #[test]
    fn a_list_admits_its_peers_in_any_case_and_with_the_channels_name() {
        let list = json!({"dmPolicy": "allowlist", "allowFrom": [" PeerA", "Post:peerB", 42]});
        for (peer, expected) in [
            ("PeerA", LISTED),
            ("peera", LISTED),
            ("PEERB", LISTED),
            ("42", LISTED),
            ("4", NOT_LISTED),
            ("peer", NOT_LISTED),
        ] {
            assert_eq!(decide(list.clone(), peer), expected, "{peer}");
        }
        let elsewhere = json!({"dmPolicy": "allowlist", "allowFrom": ["other:peerB"]});
        assert_eq!(decide(elsewhere, "peerB"), NOT_LISTED);
    }

    #[test]
    fn everybody_is_admitted_only_where_that_is_written() {
        assert_eq!(decide(json!({"dmPolicy": "open", "allowFrom": ["*"]}), "p"), ANYONE);
        assert_eq!(decide(json!({"dmPolicy": "open", "allowFrom": ["a*"]}), "ab"), NOT_LISTED);
    }

    #[test]
    fn an_account_can_say_it_otherwise() {
        let settings = settings(json!({
            "dmPolicy": "allowlist",
            "allowFrom": ["a"],
            "accounts": {"B@x": {"allowFrom": ["b"]}, "c": {"dmPolicy": "pairing"}},
        }));
        for (account, peer, expected) in [
            ("other", "a", LISTED),
            ("other", "b", NOT_LISTED),
            ("b-x", "b", LISTED),
            ("b-x", "a", NOT_LISTED),
            ("c", "a", LISTED),
            ("c", "x", ASK),
        ] {
            assert_eq!(
                settings.decide(&sender(account, peer, false)),
                expected,
                "{account} {peer}"
            );
        }
    }

    #[test]
    fn peers_of_the_command_line_are_admitted_besides() {
        let settings = settings(json!({"dmPolicy": "allowlist"})).and_allowing(["PeerA".into()]);
        assert_eq!(settings.decide(&sender("bot", "peera", false)), LISTED);
        assert_eq!(settings.decide(&sender("bot", "peerb", false)), NOT_LISTED);
    }

    #[test]
    fn peers_of_an_account_are_admitted_there_and_nowhere_else() {
        let place = sender("B@x", "PeerA", false).conversation;
        let settings = settings(json!({"dmPolicy": "allowlist"})).and_allowing_at([place.clone()]);
        assert_eq!(settings.decide(&sender("b-x", "peera", false)), LISTED);
        assert_eq!(settings.decide(&sender("c", "peera", false)), NOT_LISTED);
        let mut elsewhere = sender("b-x", "peera", false);
        elsewhere.conversation.channel = "other".into();
        assert_eq!(settings.decide(&elsewhere), ASK);
    }

    #[test]
    fn a_section_that_cannot_be_read_admits_owners_only_and_spares_the_others() {
        let settings: AccessSettings = serde_json::from_value(json!({"channels": {
            "post": {"dmPolicy": "everyone", "allowFrom": ["*"]},
            "other": {"dmPolicy": "open", "allowFrom": ["*"]},
        }}))
        .unwrap();
        assert_eq!(settings.decide(&sender("bot", "p", false)), NOT_LISTED);
        assert_eq!(settings.decide(&sender("bot", "p", true)), Decision::Admit(Ground::Owner));
        let faults: Vec<_> = settings.faults().collect();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("channels.post: unknown variant `everyone`"), "{faults:?}");
        let mut elsewhere = sender("bot", "p", false);
        elsewhere.conversation.channel = "other".into();
        assert_eq!(settings.decide(&elsewhere), ANYONE);
    }
}
