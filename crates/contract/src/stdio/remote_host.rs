//! The host, as a channel in another program sees it.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::calls::HostCall;
use super::endpoint::{CallError, Endpoint};
use super::message::Id;
use crate::{
    AccountStatus, Alert, Host, HostError, Inbound, LoginEvent, LoginFace, Sender, Verdict,
};

/// How long a host may take to say whether a sender is admitted.
const ADMISSION: Duration = Duration::from_secs(60);

pub(super) struct RemoteHost {
    pub(super) endpoint: Endpoint,
}

impl Host for RemoteHost {
    fn admit(&self, sender: Sender) -> BoxFuture<'_, Result<Verdict, HostError>> {
        async move {
            let call = HostCall::Admit { sender };
            let asked = self.endpoint.call(self.endpoint.next_id(), &call);
            let late = |_| CallError::Gone(format!("no verdict within {ADMISSION:?}"));
            Ok(tokio::time::timeout(ADMISSION, asked).await.map_err(late)??)
        }
        .boxed()
    }

    fn receive(&self, inbound: Inbound) -> BoxFuture<'_, Result<(), HostError>> {
        async move {
            let call = HostCall::Receive { inbound };
            let id = self.endpoint.next_id();
            let _: serde::de::IgnoredAny = self.endpoint.call(id, &call).await?;
            Ok(())
        }
        .boxed()
    }

    fn changed(&self, status: AccountStatus) {
        if !self.endpoint.tell(&HostCall::Changed { status }) {
            tracing::debug!("the host reads too slowly; a change of state is not told");
        }
    }

    fn alert(&self, alert: Alert) {
        let code = alert.code.clone();
        if !self.endpoint.tell(&HostCall::Alert { alert }) {
            tracing::warn!(code, "the host reads too slowly; an alert is not told");
        }
    }
}

/// Who shows a login, in the host's program.
pub(super) struct RemoteFace {
    pub(super) endpoint: Endpoint,
    pub(super) login: Id,
}

impl LoginFace for RemoteFace {
    fn tell(&self, event: LoginEvent) {
        if !self.endpoint.tell(&HostCall::LoginEvent { login: self.login.clone(), event }) {
            tracing::warn!("the host reads too slowly; a step of a login is not told");
        }
    }

    fn verify_code(&self, wrong: bool) -> BoxFuture<'_, Option<String>> {
        #[derive(Deserialize)]
        struct Typed {
            digits: Option<String>,
        }
        async move {
            let call = HostCall::LoginCode { login: self.login.clone(), wrong };
            match self.endpoint.call::<Typed>(self.endpoint.next_id(), &call).await {
                Ok(typed) => typed.digits,
                Err(error) => {
                    tracing::warn!(?error, "nobody can be asked for the digits");
                    None
                }
            }
        }
        .boxed()
    }
}
