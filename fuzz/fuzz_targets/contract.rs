//! Any bytes into both ends of the contract: no panic, and an end.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use contract::stdio::{Hello, Patience, connect, serve};
use contract::{
    AccountStatus, Alert, Channel, ChannelError, ChannelId, Conversation, Host, HostError, Inbound,
    OutboxAction, OutboxEntry, Outgoing, PeerStatus, Probe, Reply, SendReport, Sender, Signal,
    Target, TurnEnd, TurnId, Verdict,
};
use futures_util::future::{BoxFuture, ready};
use libfuzzer_sys::fuzz_target;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

const CHANNEL_HEARS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"contract":[1],"program":"f","version":"0"}}"#;
const HOST_HEARS: &str =
    r#"{"jsonrpc":"2.0","id":1,"result":{"contract":[1],"program":"f","version":"0"}}"#;

fuzz_target!(|bytes: &[u8]| {
    RUNTIME.block_on(async {
        let both = async {
            let reads = after(CHANNEL_HEARS, bytes);
            drop(serve(Arc::new(Deaf), Hello::new("f", "0"), reads, tokio::io::sink()).await);
            let reads = after(HOST_HEARS, bytes);
            let greeted =
                connect(reads, tokio::io::sink(), Hello::new("f", "0"), Patience::default());
            if let Ok(remote) = greeted.await {
                let started = remote.start(Arc::new(Deaf));
                let (_, _) = tokio::join!(started, remote.gone());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), both).await.expect("it does not end");
    });
});

fn after(line: &str, bytes: &[u8]) -> impl tokio::io::AsyncRead + Send + Unpin + 'static {
    let greeting = std::io::Cursor::new(format!("{line}\n").into_bytes());
    greeting.chain(std::io::Cursor::new(bytes.to_vec()))
}

/// A channel and a host that do nothing.
struct Deaf;

fn no<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, ChannelError>> {
    Box::pin(ready(Err(ChannelError::Stopped)))
}

impl Channel for Deaf {
    fn id(&self) -> ChannelId {
        "f".into()
    }
    fn start(&self, _: Arc<dyn Host>) -> BoxFuture<'_, Result<(), ChannelError>> {
        no()
    }
    fn reply<'a>(&'a self, _: &'a TurnId, _: Reply) -> BoxFuture<'a, Result<(), ChannelError>> {
        no()
    }
    fn signal<'a>(&'a self, _: &'a TurnId, _: Signal) -> BoxFuture<'a, ()> {
        Box::pin(ready(()))
    }
    fn finish<'a>(&'a self, _: &'a TurnId, _: TurnEnd) -> BoxFuture<'a, Result<(), ChannelError>> {
        no()
    }
    fn send(&self, _: Outgoing) -> BoxFuture<'_, Result<SendReport, ChannelError>> {
        no()
    }
    fn resolve(&self, _: Target) -> BoxFuture<'_, Result<Conversation, ChannelError>> {
        no()
    }
    fn outbox(&self) -> BoxFuture<'_, Result<Vec<OutboxEntry>, ChannelError>> {
        no()
    }
    fn act<'a>(
        &'a self,
        _: OutboxAction,
        _: &'a [i64],
    ) -> BoxFuture<'a, Result<usize, ChannelError>> {
        no()
    }
    fn peer<'a>(
        &'a self,
        _: &'a Conversation,
    ) -> BoxFuture<'a, Result<Option<PeerStatus>, ChannelError>> {
        no()
    }
    fn peers(&self) -> BoxFuture<'_, Result<Vec<PeerStatus>, ChannelError>> {
        no()
    }
    fn name_peer<'a>(
        &'a self,
        _: &'a Target,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Conversation, ChannelError>> {
        no()
    }
    fn configure(&self, _: serde_json::Value) -> BoxFuture<'_, Result<Vec<String>, ChannelError>> {
        no()
    }
    fn metrics(&self) -> BoxFuture<'_, Result<String, ChannelError>> {
        no()
    }
    fn status(&self) -> BoxFuture<'_, Result<Vec<AccountStatus>, ChannelError>> {
        no()
    }
    fn probe(&self) -> BoxFuture<'_, Result<Vec<Probe>, ChannelError>> {
        no()
    }
    fn stop(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

impl Host for Deaf {
    fn admit(&self, _: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        Box::pin(ready(Ok(Verdict::Refuse)))
    }
    fn receive(&self, _: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(ready(Ok(())))
    }
    fn changed(&self, _: AccountStatus) {}
    fn alert(&self, _: Alert) {}
}
