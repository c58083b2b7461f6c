//! A channel that answers everything with an example, and takes turns as the
//! channel in memory does.

use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountId, AccountState, AccountStatus, Channel, ChannelError, ChannelId, Conversation,
    Delivery, Host, LoggedOut, LoginDone, LoginEvent, LoginFace, LoginRequest, OutboxAction,
    OutboxEntry, Outgoing, PeerStatus, Probe, Removed, Reply, SendReport, Signal, Target, TurnEnd,
    TurnId,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::channel::{TestChannel, conversation};

pub(super) struct Shelf(pub(super) Arc<TestChannel>);

type Answer<'a, T> = BoxFuture<'a, Result<T, ChannelError>>;

fn done<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    ready(Ok(value)).boxed()
}

fn account(account: &str, state: AccountState) -> AccountStatus {
    AccountStatus {
        account: account.into(),
        name: None,
        state,
        last_poll_at_ms: Some(1),
        last_inbound_at_ms: None,
        last_outbound_at_ms: None,
        inbox: 0,
        outbox: 1,
        parked: 0,
        failed: 0,
        suppressed: 0,
    }
}

fn entry(id: i64, delivery: Delivery) -> OutboxEntry {
    OutboxEntry {
        id,
        conversation: conversation("friend"),
        peer_name: Some("F".to_owned()),
        class: "reminder".to_owned(),
        excerpt: "hello".to_owned(),
        delivery,
        attempts: 2,
        created_at_ms: 1,
        expires_at_ms: 2,
    }
}

impl Channel for Shelf {
    fn id(&self) -> ChannelId {
        "post".into()
    }

    fn start(&self, host: Arc<dyn Host>) -> Answer<'_, ()> {
        self.0.start(host)
    }

    fn reply<'a>(&'a self, turn: &'a TurnId, reply: Reply) -> Answer<'a, ()> {
        Channel::reply(&*self.0, turn, reply)
    }

    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()> {
        self.0.signal(turn, signal)
    }

    fn finish<'a>(&'a self, turn: &'a TurnId, end: TurnEnd) -> Answer<'a, ()> {
        self.0.finish(turn, end)
    }

    fn send(&self, outgoing: Outgoing) -> Answer<'_, SendReport> {
        let conversation = conversation(&outgoing.target.to);
        done(SendReport { id: 3, conversation, delivery: Delivery::Queued })
    }

    fn resolve(&self, target: Target) -> Answer<'_, Conversation> {
        match target.to.as_str() {
            "friend" => done(conversation("friend")),
            _ => ready(Err(ChannelError::UnknownTarget(target.to))).boxed(),
        }
    }

    fn outbox(&self) -> Answer<'_, Vec<OutboxEntry>> {
        let (code, reason) = ("c".to_owned(), "r".to_owned());
        let parked = Delivery::Parked { code: code.clone(), until: "u".to_owned() };
        let failed = Delivery::Failed { code, reason };
        done(vec![entry(1, Delivery::Unconfirmed), entry(2, parked), entry(3, failed)])
    }

    fn act<'a>(&'a self, _: OutboxAction, ids: &'a [i64]) -> Answer<'a, usize> {
        done(ids.len())
    }

    fn peer<'a>(&'a self, _: &'a Conversation) -> Answer<'a, Option<PeerStatus>> {
        done(None)
    }

    fn peers(&self) -> Answer<'_, Vec<PeerStatus>> {
        done(vec![PeerStatus {
            conversation: conversation("friend"),
            name: None,
            last_inbound_at_ms: Some(1),
            window_left_ms: None,
            sends_left: Some(9),
            unconfirmed: 0,
            suppressed: false,
            waiting: 1,
            parked: 0,
        }])
    }

    fn name_peer<'a>(&'a self, target: &'a Target, _: Option<&'a str>) -> Answer<'a, Conversation> {
        done(conversation(&target.to))
    }

    fn configure(&self, _: serde_json::Value) -> Answer<'_, Vec<String>> {
        done(Vec::new())
    }

    fn metrics(&self) -> Answer<'_, String> {
        done("posted 1\n".to_owned())
    }

    fn status(&self) -> Answer<'_, Vec<AccountStatus>> {
        let reason = "out of stamps".to_owned();
        let degraded = AccountState::Degraded { reason: reason.clone(), since_ms: 1 };
        done(vec![
            account("bot", AccountState::Polling),
            account("slow", degraded),
            account("lost", AccountState::NeedsLogin { reason, since_ms: 1 }),
        ])
    }

    fn probe(&self) -> Answer<'_, Vec<Probe>> {
        let detail = "well".to_owned();
        done(vec![Probe { account: "bot".into(), ok: true, detail, took_ms: 1 }])
    }

    /// Asks for digits when that is the name.
    fn login<'a>(
        &'a self,
        request: LoginRequest,
        face: Arc<dyn LoginFace>,
    ) -> Answer<'a, LoginDone> {
        async move {
            let digits = match request.name.as_deref() {
                Some("digits") => face.verify_code(false).await.unwrap(),
                _ => "0".to_owned(),
            };
            let account = AccountId::new(format!("bot-{digits}"));
            face.tell(LoginEvent::Polling { account: account.clone(), name: None });
            Ok(LoginDone { account, name: None, already_connected: false, is_running: true })
        }
        .boxed()
    }

    fn logout<'a>(&'a self, account: &'a str) -> Answer<'a, LoggedOut> {
        done(LoggedOut { account: account.into(), cleared: true, announced: false })
    }

    fn set_enabled<'a>(&'a self, account: &'a str, _: bool) -> Answer<'a, AccountId> {
        done(account.into())
    }

    fn remove<'a>(&'a self, account: &'a str) -> Answer<'a, Removed> {
        done(Removed { account: account.into(), announced: true, rows: 1, files: 0 })
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()> {
        self.0.stop(grace)
    }
}
