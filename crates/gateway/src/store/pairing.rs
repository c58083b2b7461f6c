//! Strangers who have a code, and those who were approved.

use contract::{AccountId, ChannelId, Conversation, PeerId, Sender};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Store, StoreError};
use crate::access::folded;
use crate::pairing::{
    Approval, CODE_LIFE_MS, Code, MOST_PENDING, Meeting, PairingMeta, PairingRequest,
};

/// How often a code is drawn that somebody else has.
const MOST_DRAWS: usize = 500;
/// A moment in milliseconds, as `?n`, in ISO 8601; `{}` stands for the number.
const ISO: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', {} / 1000.0, 'unixepoch')";
/// What a request is read from.
const REQUEST: &str = "request_id, code, created_at, last_seen_at, account_id, meta_json";

/// An account of a channel, as the tables name it.
#[derive(Clone)]
struct Place {
    channel: String,
    account: String,
}

impl Place {
    fn of(conversation: &Conversation) -> Self {
        let Conversation { channel, account, peer: _ } = conversation;
        Self { channel: key(channel.as_str()), account: account_key(account) }
    }
}

impl Store {
    /// Says whether a peer was approved. Sees what other processes stored.
    pub(crate) fn is_approved(&self, conversation: &Conversation) -> Result<bool, StoreError> {
        let Place { channel, account } = Place::of(conversation);
        let peer = folded(conversation.peer.as_str());
        let found = self.ledger.glance(|conn| {
            conn.prepare_cached(
                "SELECT 1 FROM channel_pairing_allow_entries
                 WHERE channel_key = ?1 AND account_id = ?2 AND folded = ?3",
            )?
            .exists((channel, account, peer))
        });
        Ok(found?)
    }

    /// Decides about a message of a stranger, and remembers it.
    pub(crate) async fn meet_stranger(
        &self,
        sender: &Sender,
        now_ms: i64,
    ) -> Result<Meeting, StoreError> {
        let place = Place::of(&sender.conversation);
        let pending = self.ledger.glance(|conn| pending(conn, &place, now_ms))?;
        let has_code = pending.iter().any(|it| it.is_of(&sender.conversation.peer));
        if pending.len() >= MOST_PENDING && !has_code {
            // Whoever floods an account writes nothing to the disk.
            return Ok(Meeting::TooManyWait);
        }
        let sender = sender.clone();
        Ok(self.ledger.write(move |tx| meet(tx, &sender, &place, now_ms)).await?)
    }

    /// Returns the requests that can be approved of, the oldest first.
    pub(crate) async fn pairing_requests(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
        now_ms: i64,
    ) -> Result<Vec<PairingRequest>, StoreError> {
        let (channel, account) = (key(channel.as_str()), account.map(account_key));
        let list = move |conn: &Connection| {
            let since = ISO.replace("{}", "?3");
            let mut found = conn.prepare_cached(&format!(
                "SELECT {REQUEST} FROM channel_pairing_requests
                 WHERE channel_key = ?1 AND coalesce(account_id = ?2, TRUE) AND created_at >= {since}
                 ORDER BY created_at, request_id"
            ))?;
            found.query_map((channel, account, now_ms - CODE_LIFE_MS), request)?.collect()
        };
        Ok(self.ledger.read(list).await?)
    }

    /// Ends the request that has a code, with an approval or without.
    pub(crate) async fn settle_request(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
        code: &str,
        approve: bool,
        now_ms: i64,
    ) -> Result<Option<PairingRequest>, StoreError> {
        let (channel, account) = (key(channel.as_str()), account.map(account_key));
        let code = Code::typed(code);
        let settle = move |tx: &Transaction<'_>| {
            let since = ISO.replace("{}", "?4");
            let sql = format!(
                "DELETE FROM channel_pairing_requests
                 WHERE channel_key = ?1 AND coalesce(account_id = ?2, TRUE) AND code = ?3
                   AND created_at >= {since}
                 RETURNING {REQUEST}"
            );
            let since = now_ms - CODE_LIFE_MS;
            let mut delete = tx.prepare_cached(&sql)?;
            let found = delete.query_row((&channel, account, code.as_str(), since), |row| {
                Ok((row.get::<_, String>("account_id")?, request(row)?))
            });
            let Some((account, request)) = found.optional()? else { return Ok(None) };
            if approve {
                allow(tx, &Place { channel, account }, &request.id, now_ms)?;
            }
            Ok(Some(request))
        };
        Ok(self.ledger.write(settle).await?)
    }

    /// Returns who was approved, in the order of the approvals.
    pub(crate) async fn approvals(
        &self,
        channel: &ChannelId,
        account: Option<&AccountId>,
    ) -> Result<Vec<Approval>, StoreError> {
        let (channel, account) = (key(channel.as_str()), account.map(account_key));
        let list = move |conn: &Connection| {
            let mut found = conn.prepare_cached(
                "SELECT account_id, entry, updated_at FROM channel_pairing_allow_entries
                 WHERE channel_key = ?1 AND coalesce(account_id = ?2, TRUE)
                 ORDER BY account_id, sort_order",
            )?;
            let approval = |row: &Row<'_>| {
                Ok(Approval {
                    account_id: row.get(0)?,
                    id: PeerId::new(row.get::<_, String>(1)?),
                    approved_at_ms: row.get(2)?,
                })
            };
            found.query_map((channel, account), approval)?.collect()
        };
        Ok(self.ledger.read(list).await?)
    }

    /// Approves of all or of none, and returns how many were not before.
    pub(crate) async fn add_approvals(
        &self,
        conversations: Vec<Conversation>,
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        let add = move |tx: &Transaction<'_>| {
            let added = conversations.iter().map(|it| allow(tx, &Place::of(it), &it.peer, now_ms));
            added.sum()
        };
        Ok(self.ledger.write(add).await?)
    }

    pub(crate) async fn remove_approval(
        &self,
        conversation: &Conversation,
    ) -> Result<bool, StoreError> {
        let Place { channel, account } = Place::of(conversation);
        let peer = folded(conversation.peer.as_str());
        let remove = move |tx: &Transaction<'_>| {
            tx.prepare_cached(
                "DELETE FROM channel_pairing_allow_entries
                 WHERE channel_key = ?1 AND account_id = ?2 AND folded = ?3",
            )?
            .execute((channel, account, peer))
        };
        Ok(self.ledger.write(remove).await? > 0)
    }
}

/// A request, as far as it decides about the next message.
struct Pending {
    peer: String,
    code: String,
    turn: String,
}

impl Pending {
    fn is_of(&self, peer: &PeerId) -> bool {
        folded(&self.peer) == folded(peer.as_str())
    }
}

fn pending(conn: &Connection, place: &Place, now_ms: i64) -> rusqlite::Result<Vec<Pending>> {
    let since = ISO.replace("{}", "?3");
    let mut found = conn.prepare_cached(&format!(
        "SELECT request_id, code, turn FROM channel_pairing_requests
         WHERE channel_key = ?1 AND account_id = ?2 AND created_at >= {since}"
    ))?;
    let row =
        |row: &Row<'_>| Ok(Pending { peer: row.get(0)?, code: row.get(1)?, turn: row.get(2)? });
    found.query_map((&place.channel, &place.account, now_ms - CODE_LIFE_MS), row)?.collect()
}

fn meet(
    tx: &Transaction<'_>,
    sender: &Sender,
    place: &Place,
    now_ms: i64,
) -> rusqlite::Result<Meeting> {
    forget_expired(tx, place, now_ms)?;
    let pending = pending(tx, place, now_ms)?;
    if let Some(known) = pending.iter().find(|it| it.is_of(&sender.conversation.peer)) {
        touch(tx, place, &known.peer, now_ms)?;
        // Asked again about the turn that has the code for its answer.
        let is_same_turn = known.turn == sender.turn.as_str();
        let challenge = || Meeting::Challenge(known.code.clone());
        return Ok(if is_same_turn { challenge() } else { Meeting::Waits });
    }
    if pending.len() >= MOST_PENDING {
        return Ok(Meeting::TooManyWait);
    }
    for _ in 0..MOST_DRAWS {
        let code = Code::draw();
        if !is_taken(tx, place, &code)? {
            ask(tx, place, sender, &code, now_ms)?;
            return Ok(Meeting::Challenge(code.to_string()));
        }
    }
    // Of 2^40 codes a handful is taken, so this does not come to pass.
    Ok(Meeting::TooManyWait)
}

fn forget_expired(tx: &Transaction<'_>, place: &Place, now_ms: i64) -> rusqlite::Result<()> {
    let since = ISO.replace("{}", "?3");
    tx.prepare_cached(&format!(
        "DELETE FROM channel_pairing_requests
         WHERE channel_key = ?1 AND account_id = ?2 AND created_at < {since}"
    ))?
    .execute((&place.channel, &place.account, now_ms - CODE_LIFE_MS))
    .map(drop)
}

fn touch(tx: &Transaction<'_>, place: &Place, peer: &str, now_ms: i64) -> rusqlite::Result<()> {
    let now = ISO.replace("{}", "?4");
    tx.prepare_cached(&format!(
        "UPDATE channel_pairing_requests SET last_seen_at = {now}
         WHERE channel_key = ?1 AND account_id = ?2 AND request_id = ?3"
    ))?
    .execute((&place.channel, &place.account, peer, now_ms))
    .map(drop)
}

/// A code is approved of by channel, so it is another's on any account.
fn is_taken(tx: &Transaction<'_>, place: &Place, code: &Code) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM channel_pairing_requests WHERE channel_key = ?1 AND code = ?2",
    )?
    .exists((&place.channel, code.as_str()))
}

fn ask(
    tx: &Transaction<'_>,
    place: &Place,
    sender: &Sender,
    code: &Code,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let Conversation { account, peer, .. } = &sender.conversation;
    let meta = serde_json::json!(PairingMeta { account_id: account.clone() }).to_string();
    let now = ISO.replace("{}", "?7");
    tx.prepare_cached(&format!(
        "INSERT INTO channel_pairing_requests (channel_key, account_id, request_id, code,
            meta_json, turn, created_at, last_seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now}, {now})"
    ))?
    .execute(params![
        place.channel,
        place.account,
        peer.as_str(),
        code.as_str(),
        meta,
        sender.turn.as_str(),
        now_ms
    ])
    .map(drop)
}

/// Approves of a peer and returns one, or none when they were approved before.
fn allow(
    tx: &Transaction<'_>,
    place: &Place,
    peer: &PeerId,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    let (entry, folded) = (peer.as_str().trim(), folded(peer.as_str()));
    if entry.is_empty() || entry == "*" {
        return Ok(0);
    }
    tx.prepare_cached(
        "INSERT INTO channel_pairing_allow_entries
            (channel_key, account_id, entry, folded, updated_at, sort_order)
         SELECT ?1, ?2, ?3, ?4, ?5, coalesce(max(sort_order) + 1, 0)
         FROM channel_pairing_allow_entries WHERE channel_key = ?1 AND account_id = ?2
         ON CONFLICT DO NOTHING",
    )?
    .execute((&place.channel, &place.account, entry, folded, now_ms))
}

/// Reads a row of [`REQUEST`].
fn request(row: &Row<'_>) -> rusqlite::Result<PairingRequest> {
    let account: String = row.get("account_id")?;
    let meta: String = row.get("meta_json")?;
    Ok(PairingRequest {
        id: PeerId::new(row.get::<_, String>("request_id")?),
        code: row.get("code")?,
        created_at: row.get("created_at")?,
        last_seen_at: row.get("last_seen_at")?,
        meta: serde_json::from_str(&meta)
            .unwrap_or_else(|_| PairingMeta { account_id: AccountId::new(account) }),
    })
}

/// Puts a name into the form in which the tables have it.
fn key(name: &str) -> String {
    let is_for_paths = |c| matches!(c, '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    name.trim().to_lowercase().replace(is_for_paths, "_").replace("..", "_")
}

fn account_key(account: &AccountId) -> String {
    let key = key(account.as_str());
    if key.is_empty() { "default".to_owned() } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = CODE_LIFE_MS;
    const NOW: i64 = 1_760_000_000_123;

    fn sender(peer: &str, turn: &str) -> Sender {
        let conversation =
            Conversation { channel: "Post".into(), account: "Bot".into(), peer: peer.into() };
        Sender { conversation, turn: turn.into(), is_owner: false }
    }

    async fn code(store: &Store, peer: &str, turn: &str, now_ms: i64) -> String {
        match store.meet_stranger(&sender(peer, turn), now_ms).await.unwrap() {
            Meeting::Challenge(code) => code,
            other @ (Meeting::Approved | Meeting::Waits | Meeting::TooManyWait) => {
                panic!("{peer}: {other:?}")
            }
        }
    }

    async fn opened() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("gateway.sqlite")).await.unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn a_code_lives_an_hour_and_not_a_moment_longer() {
        let (_dir, store) = opened().await;
        let first = code(&store, "u2", "t1", NOW).await;
        let approve = async |now_ms| {
            store.settle_request(&"post".into(), None, &first, true, now_ms).await.unwrap()
        };
        assert_eq!(approve(NOW + HOUR + 1).await, None);
        let met = store.meet_stranger(&sender("u2", "t2"), NOW + HOUR).await.unwrap();
        assert_eq!(met, Meeting::Waits);
        assert!(approve(NOW + HOUR).await.is_some());
    }

    #[tokio::test]
    async fn codes_that_have_expired_make_room() {
        let (_dir, store) = opened().await;
        let first = code(&store, "a", "t1", NOW).await;
        for peer in ["b", "c"] {
            code(&store, peer, "t", NOW + 1).await;
        }
        let fourth = store.meet_stranger(&sender("d", "t"), NOW + HOUR).await.unwrap();
        assert_eq!(fourth, Meeting::TooManyWait);
        code(&store, "d", "t", NOW + HOUR + 1).await;
        let again = store.meet_stranger(&sender("a", "t1"), NOW + HOUR + 1).await.unwrap();
        assert_eq!(again, Meeting::TooManyWait);
        assert_ne!(code(&store, "a", "t1", NOW + HOUR + 2).await, first);
        let waiting = store.pairing_requests(&"post".into(), None, NOW + HOUR + 2).await.unwrap();
        let waiting: Vec<_> = waiting.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(waiting, ["d", "a"]);
    }

    #[tokio::test]
    async fn a_repeat_moves_only_the_time_it_was_seen() {
        let (_dir, store) = opened().await;
        let code = code(&store, "U2", "t1", NOW).await;
        let met = store.meet_stranger(&sender("u2", "t2"), NOW + 61_000).await.unwrap();
        assert_eq!(met, Meeting::Waits);
        let found = store.pairing_requests(&"post".into(), None, NOW + 61_000).await.unwrap();
        let expected = PairingRequest {
            id: "U2".into(),
            code,
            created_at: "2025-10-09T08:53:20.123Z".to_owned(),
            last_seen_at: "2025-10-09T08:54:21.123Z".to_owned(),
            meta: PairingMeta { account_id: "Bot".into() },
        };
        assert_eq!(found, [expected]);
    }

    #[tokio::test]
    async fn an_approval_is_the_row_that_openclaw_would_have() {
        let (_dir, store) = opened().await;
        for peer in ["u1", "u2"] {
            let code = code(&store, peer, "t", NOW).await;
            store.settle_request(&"post".into(), None, &code, true, NOW + 5).await.unwrap();
        }
        let rows = store.ledger.glance(|conn| {
            let mut rows = conn.prepare(
                "SELECT channel_key, account_id, entry, sort_order, updated_at
                 FROM channel_pairing_allow_entries ORDER BY sort_order",
            )?;
            let row = |row: &Row<'_>| <(String, String, String, i64, i64)>::try_from(row);
            rows.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()
        });
        let row = |peer: &str, order| {
            ("post".to_owned(), "bot".to_owned(), peer.to_owned(), order, NOW + 5)
        };
        assert_eq!(rows.unwrap(), [row("u1", 0), row("u2", 1)]);
    }

    #[test]
    fn a_name_is_put_into_a_form_that_can_be_part_of_a_path() {
        assert_eq!(key(" A/..\\b:c "), "a___b_c");
        assert_eq!(account_key(&"".into()), "default");
    }
}
