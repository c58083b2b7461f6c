//! Who may command.

use std::collections::BTreeMap;

use contract::{ChannelId, PeerId, Sender};
use serde::{Deserialize, Serialize};

use super::AccessSettings;
use super::entries::Entries;

/// The section `commands` of a configuration, as far as it names people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CommandAccess {
    owner_allow_from: Entries,
    /// By channel, or by `*` for all channels.
    allow_from: BTreeMap<String, Entries>,
}

/// Which commands an admitted sender may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// All.
    All,
    /// Those that concern their own session: others are the owners'.
    ResetOnly,
    /// None.
    Nothing,
}

/// Nobody is named as owner yet, and the one who was approved first becomes it:
/// the entry belongs into `commands.ownerAllowFrom`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnerToConfigure {
    /// The entry, `<channel>:<peer>`.
    pub entry: String,
}

impl AccessSettings {
    /// Says which commands a sender may use. `commands.allowFrom` alone decides
    /// where it has a list for the channel; else it is the owners who may use all, and
    /// everybody where no owner is named. `*` makes nobody an owner.
    #[must_use]
    pub fn authority(&self, sender: &Sender) -> Authority {
        let (channel, peer) = (&sender.conversation.channel, &sender.conversation.peer);
        let lists = &self.commands.allow_from;
        let of_channel = lists.iter().find(|(of, _)| of.eq_ignore_ascii_case(channel.as_str()));
        let list = of_channel.map(|(_, list)| list).or_else(|| lists.get("*"));
        if let Some(list) = list {
            let may = list.name_anyone() || list.name(channel, peer);
            return if may { Authority::All } else { Authority::Nothing };
        }
        let owners = &self.commands.owner_allow_from;
        let is_owner = sender.is_owner || owners.name(channel, peer);
        if is_owner || !owners.name_someone_on(channel) {
            Authority::All
        } else {
            Authority::ResetOnly
        }
    }

    /// Says who is to be named as owner after an approval; `None` where
    /// somebody is named already.
    #[must_use]
    pub fn owner_to_configure(
        &self,
        channel: &ChannelId,
        peer: &PeerId,
    ) -> Option<OwnerToConfigure> {
        let is_open = self.commands.owner_allow_from.is_empty();
        is_open.then(|| OwnerToConfigure { entry: format!("{channel}:{peer}") })
    }
}

#[cfg(test)]
mod tests {
    use contract::Conversation;
    use serde_json::json;

    use super::*;

    fn authority(commands: serde_json::Value, peer: &str) -> Authority {
        let settings: AccessSettings =
            serde_json::from_value(json!({"commands": commands})).unwrap();
        let conversation =
            Conversation { channel: "post".into(), account: "bot".into(), peer: peer.into() };
        settings.authority(&Sender { conversation, turn: "t".into(), is_owner: peer == "scanner" })
    }

    #[test]
    fn owners_may_use_all_commands_and_others_where_there_are_none() {
        assert_eq!(authority(json!({}), "p"), Authority::All);
        let named = json!({"ownerAllowFrom": ["post:Ann", "telegram:1"]});
        assert_eq!(authority(named.clone(), "ann"), Authority::All);
        assert_eq!(authority(named.clone(), "scanner"), Authority::All);
        assert_eq!(authority(named, "p"), Authority::ResetOnly);
        for nobody_here in [json!(["telegram:1"]), json!(["*"]), json!([])] {
            assert_eq!(authority(json!({"ownerAllowFrom": nobody_here}), "p"), Authority::All);
        }
    }

    #[test]
    fn a_list_of_those_who_may_command_decides_alone() {
        let lists = json!({"ownerAllowFrom": ["p"], "allowFrom": {"post": ["ann"], "*": ["p"]}});
        assert_eq!(authority(lists.clone(), "ANN"), Authority::All);
        assert_eq!(authority(lists, "p"), Authority::Nothing);
        assert_eq!(authority(json!({"allowFrom": {"*": ["p"]}}), "p"), Authority::All);
        assert_eq!(authority(json!({"allowFrom": {"post": []}}), "scanner"), Authority::Nothing);
        assert_eq!(authority(json!({"allowFrom": {"other": []}}), "p"), Authority::All);
    }
}
