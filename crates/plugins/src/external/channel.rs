//! The channel that a host sees: each call goes to the program that runs.

use std::sync::Arc;
use std::time::Duration;

use contract::{
    AccountId, AccountStatus, Channel, ChannelError, ChannelId, Conversation, Host, LoggedOut,
    LoginDone, LoginFace, LoginRequest, OutboxAction, OutboxEntry, Outgoing, PeerStatus, Probe,
    Removed, Reply, SendReport, Signal, Target, TurnEnd, TurnId,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{External, Word, lock};

impl Channel for External {
    fn id(&self) -> ChannelId {
        self.shared.launch.channel.clone()
    }

    /// A program that does not come up is no error here: it is tried again, and
    /// the status says why.
    fn start(&self, host: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>> {
        self.begin(host).map(Ok).boxed()
    }

    fn reply<'a>(
        &'a self,
        turn: &'a TurnId,
        reply: Reply,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        self.keep(turn, Word::Reply(reply)).boxed()
    }

    fn signal<'a>(&'a self, turn: &'a TurnId, signal: Signal) -> BoxFuture<'a, ()> {
        async move {
            let remote = self.shared.state.borrow().ready_after(0);
            if let Some((_, remote)) = remote {
                remote.signal(turn, signal).await;
            }
        }
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        turn: &'a TurnId,
        end: TurnEnd,
    ) -> BoxFuture<'a, Result<(), ChannelError>> {
        self.keep(turn, Word::End(end)).boxed()
    }

    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>> {
        async move { self.desk().await?.send(outgoing).await }.boxed()
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>> {
        async move { self.desk().await?.resolve(target).await }.boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>> {
        async move { self.desk().await?.outbox().await }.boxed()
    }

    fn act<'a>(
        &'a self,
        action: OutboxAction,
        ids: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>> {
        async move { self.desk().await?.act(action, ids).await }.boxed()
    }

    fn peer<'a>(
        &'a self,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>> {
        async move { self.desk().await?.peer(conversation).await }.boxed()
    }

    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>> {
        async move { self.desk().await?.peers().await }.boxed()
    }

    fn name_peer<'a>(
        &'a self,
        target: &'a Target,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>> {
        async move { self.desk().await?.name_peer(target, name).await }.boxed()
    }

    /// Kept for every start of the program; one that does not run is told then.
    fn configure(
        &self,
        section: serde_json::Value,
    ) -> BoxFuture<'_, Result<Vec<String>, ChannelError>> {
        async move {
            let remote = self.shared.state.borrow().ready_after(0);
            let Some((_, remote)) = remote else {
                *lock(&self.shared.section) = Some(section);
                self.try_again();
                return Ok(Vec::new());
            };
            let warnings = match remote.configure(section.clone()).await {
                Err(ChannelError::Unsupported(_)) => Vec::new(),
                outcome => outcome?,
            };
            *lock(&self.shared.section) = Some(section);
            Ok(warnings)
        }
        .boxed()
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>> {
        async move { self.desk().await?.metrics().await }.boxed()
    }

    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>> {
        self.statuses().boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>> {
        async move { self.desk().await?.probe().await }.boxed()
    }

    fn login<'a>(
        &'a self,
        request: LoginRequest,
        face: Arc<dyn LoginFace>,
    ) -> BoxFuture<'a, Result<LoginDone, ChannelError>> {
        async move { self.desk().await?.login(request, face).await }.boxed()
    }

    fn logout<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<LoggedOut, ChannelError>> {
        async move { self.desk().await?.logout(account).await }.boxed()
    }

    fn set_enabled<'a>(
        &'a self,
        account: &'a str,
        enabled: bool,
    ) -> BoxFuture<'a, Result<AccountId, ChannelError>> {
        async move { self.desk().await?.set_enabled(account, enabled).await }.boxed()
    }

    fn remove<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Removed, ChannelError>> {
        async move { self.desk().await?.remove(account).await }.boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, ()> {
        self.end(grace).boxed()
    }
}
