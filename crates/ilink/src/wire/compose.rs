//! Outbound messages, as the official plugin puts them together.

use super::message::{Item, ItemKind, Message, MessageState, MessageType, TextItem};
use crate::{ClientId, ContextToken, UserId};

impl Message {
    /// Makes a bot's complete message: exactly one item, as the official
    /// plugin sends it. The run id stays open.
    #[must_use]
    pub fn outbound(
        to: UserId,
        item: Item,
        context: Option<ContextToken>,
        client_id: ClientId,
    ) -> Self {
        Self {
            from_user_id: Some(UserId::default()),
            to_user_id: Some(to),
            client_id: Some(client_id),
            message_type: Some(MessageType::Bot),
            message_state: Some(MessageState::Finish),
            item_list: Some(vec![item].into()),
            context_token: context,
            ..Self::default()
        }
    }

    /// Makes the answer to a message: to whom it came from, with the proof that
    /// it carries, in its turn.
    #[must_use]
    pub fn reply(&self, item: Item, client_id: ClientId) -> Self {
        let to = self.from_user_id.clone().unwrap_or_default();
        let context = self.context_token.clone();
        Self { run_id: self.run_id.clone(), ..Self::outbound(to, item, context, client_id) }
    }

    /// Returns the texts of the message's items, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let items = self.item_list.iter().flat_map(|list| list.iter());
        items.filter_map(|item| item.text_item.as_ref()?.text.as_deref())
    }
}

impl Item {
    /// Makes a text item.
    pub fn text(text: impl Into<String>) -> Self {
        let text_item = TextItem { text: Some(text.into()), ..TextItem::default() };
        Self { text_item: Some(text_item), ..Self::of_kind(ItemKind::Text) }
    }

    /// Makes an item without content, to be filled in.
    #[must_use]
    pub fn of_kind(kind: ItemKind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }
}
