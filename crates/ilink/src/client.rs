//! One method per endpoint.
//!
//! Each call is one exchange under one deadline that covers all of it, body
//! included; dropping the future ends it. Nothing is retried and nothing is
//! remembered here: what to do about an error is the caller's decision, helped
//! by [`ClientError::recovery`].

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use url::Url;

use crate::wire::{self, header, path};
use crate::{BotToken, ContextToken, Cursor, QrCodeId, TypingTicket, UserId};

mod address;
mod addresses;
mod call;
mod endpoints;
mod error;
mod http;
mod identity;

pub(crate) use self::address::{join, redact_url, with_query};
use self::call::Call;
pub use self::endpoints::{DEFAULT_API, DEFAULT_CDN, Endpoints};
pub(crate) use self::error::retry_after;
pub use self::error::{Cause, ClientError, Recovery};
pub use self::http::{Generation, Http, HttpOptions, HttpSetupError, Resolver};
pub use self::identity::Identity;

/// How long the backend holds a poll when it gives no hint.
pub const DEFAULT_HOLD: Duration = Duration::from_secs(35);

/// How long each kind of exchange may take, from connect to the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// sendmessage, getuploadurl.
    pub send: Duration,
    /// getconfig, sendtyping, notifystart, notifystop, a new QR code.
    pub small: Duration,
    /// The QR status, which the backend holds open.
    pub qr_status: Duration,
    /// What a poll gets on top of its hold. The official client has no margin
    /// and so loses the race on each idle poll.
    pub poll_margin: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            send: Duration::from_secs(15),
            small: Duration::from_secs(10),
            qr_status: Duration::from_secs(40),
            poll_margin: Duration::from_secs(10),
        }
    }
}

/// Speaks for one account, or for none during a login. Clones share everything.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Clone, Debug)]
struct Shared {
    http: Http,
    endpoints: Endpoints,
    identity: Identity,
    deadlines: Deadlines,
    token: Option<BotToken>,
}

impl Client {
    /// Makes a client without a token: enough to log in.
    #[must_use]
    pub fn new(http: Http, endpoints: Endpoints, identity: Identity) -> Self {
        let deadlines = Deadlines::default();
        Self { shared: Arc::new(Shared { http, endpoints, identity, deadlines, token: None }) }
    }

    /// Returns a client that speaks with this token.
    #[must_use]
    pub fn with_token(&self, token: BotToken) -> Self {
        let shared = Shared { token: Some(token), ..(*self.shared).clone() };
        Self { shared: Arc::new(shared) }
    }

    /// Returns a client that speaks for an account that lives at `base`.
    #[must_use]
    pub fn with_account(&self, base: Url, token: BotToken) -> Self {
        let endpoints = Endpoints { api: base, ..self.shared.endpoints.clone() };
        let shared = Shared { endpoints, token: Some(token), ..(*self.shared).clone() };
        Self { shared: Arc::new(shared) }
    }

    /// Returns a client with other deadlines.
    #[must_use]
    pub fn with_deadlines(&self, deadlines: Deadlines) -> Self {
        let shared = Shared { deadlines, ..(*self.shared).clone() };
        Self { shared: Arc::new(shared) }
    }

    /// Returns where this client goes.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.shared.endpoints
    }

    /// Returns the connections that this client uses.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.shared.http
    }

    /// Asks for a QR code. `known` are the tokens of accounts that this machine
    /// has, newest first; the first ten are sent.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]; so for every call below.
    pub async fn get_qr_code(&self, known: &[BotToken]) -> Result<wire::QrCode, ClientError> {
        const MOST_KNOWN: usize = 10;
        let request = wire::QrCodeRequest {
            local_token_list: Some(
                known.iter().take(MOST_KNOWN).cloned().collect::<Vec<_>>().into(),
            ),
            ..wire::QrCodeRequest::default()
        };
        let url = join(&self.shared.endpoints.qr, path::GET_BOT_QRCODE);
        let url = with_query(url, &[("bot_type", "3")]);
        let call = Call { name: "get_bot_qrcode", deadline: self.shared.deadlines.small };
        let body = self.post_to(call, url, request.to_json(), Auth::None).await?;
        let qr = call.parse(&body, wire::QrCode::from_slice)?;
        call.accepted(qr.ret, None, qr.errmsg.as_deref())?;
        Ok(qr)
    }

    /// Asks what became of a QR code, at `base` (another host after a redirect).
    /// The backend holds the answer; running out of time means "still waiting".
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn qr_status(
        &self,
        base: &Url,
        qr: &QrCodeId,
        verify_code: Option<&str>,
    ) -> Result<wire::QrStatus, ClientError> {
        let code = verify_code.map(|digits| ("verify_code", digits));
        let query: Vec<_> = [("qrcode", qr.as_str())].into_iter().chain(code).collect();
        let url = with_query(join(base, path::GET_QRCODE_STATUS), &query);
        let call = Call { name: "get_qrcode_status", deadline: self.shared.deadlines.qr_status };
        let body = call.exchange(self.request(Method::GET, url)).await?;
        let status = call.parse(&body, wire::QrStatus::from_slice)?;
        call.accepted(status.ret, None, status.errmsg.as_deref())?;
        Ok(status)
    }

    /// Polls: waits up to `hold` for the next batch behind `cursor`.
    ///
    /// An answer without messages is `Ok`: the backend is alive. Running out of
    /// `hold` plus the margin is [`Cause::Timeout`]: the client gave up.
    /// Safe to drop: nothing is acknowledged until the next call carries the
    /// new cursor.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_updates(
        &self,
        cursor: &Cursor,
        hold: Duration,
    ) -> Result<wire::Updates, ClientError> {
        let request = wire::GetUpdates {
            get_updates_buf: Some(cursor.clone()),
            base_info: Some(self.shared.identity.base_info()),
            ..wire::GetUpdates::default()
        };
        let deadline = hold + self.shared.deadlines.poll_margin;
        let call = Call { name: "getupdates", deadline };
        let body = self.post(call, path::GET_UPDATES, request.to_json()).await?;
        let updates = call.parse(&body, wire::Updates::from_slice)?;
        call.accepted(updates.ret, updates.errcode, updates.errmsg.as_deref())?;
        Ok(updates)
    }

    /// Sends one message and returns when the backend has accepted it.
    ///
    /// Not safe to drop: after a cut the message may have arrived. Send again
    /// under the same client id. An empty answer counts as accepted without id.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn send_message(&self, msg: wire::Message) -> Result<wire::Sent, ClientError> {
        let request = wire::SendMessage {
            msg: Some(msg),
            base_info: Some(self.shared.identity.base_info()),
            ..wire::SendMessage::default()
        };
        let call = Call { name: "sendmessage", deadline: self.shared.deadlines.send };
        let body = self.post(call, path::SEND_MESSAGE, request.to_json()).await?;
        if body.trim_ascii().is_empty() {
            return Ok(wire::Sent::default());
        }
        let sent = call.parse(&body, wire::Sent::from_slice)?;
        call.accepted(sent.ret, sent.errcode, sent.errmsg.as_deref())?;
        Ok(sent)
    }

    /// Asks for an upload ticket. `base_info` is filled in here.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_upload_url(
        &self,
        request: wire::GetUploadUrl,
    ) -> Result<wire::UploadUrl, ClientError> {
        let request =
            wire::GetUploadUrl { base_info: Some(self.shared.identity.base_info()), ..request };
        let call = Call { name: "getuploadurl", deadline: self.shared.deadlines.send };
        let body = self.post(call, path::GET_UPLOAD_URL, request.to_json()).await?;
        let ticket = call.parse(&body, wire::UploadUrl::from_slice)?;
        call.accepted(ticket.ret, ticket.errcode, ticket.errmsg.as_deref())?;
        Ok(ticket)
    }

    /// Asks for a typing ticket for one peer.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_config(
        &self,
        peer: &UserId,
        context: Option<&ContextToken>,
    ) -> Result<wire::Config, ClientError> {
        let request = wire::GetConfig {
            ilink_user_id: Some(peer.clone()),
            context_token: context.cloned(),
            base_info: Some(self.shared.identity.base_info()),
            ..wire::GetConfig::default()
        };
        let call = Call { name: "getconfig", deadline: self.shared.deadlines.small };
        let body = self.post(call, path::GET_CONFIG, request.to_json()).await?;
        let config = call.parse(&body, wire::Config::from_slice)?;
        call.accepted(config.ret, config.errcode, config.errmsg.as_deref())?;
        Ok(config)
    }

    /// Shows or hides "typing…".
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn send_typing(
        &self,
        peer: &UserId,
        ticket: &TypingTicket,
        status: wire::TypingStatus,
    ) -> Result<(), ClientError> {
        let request = wire::SendTyping {
            ilink_user_id: Some(peer.clone()),
            typing_ticket: Some(ticket.clone()),
            status: Some(status),
            base_info: Some(self.shared.identity.base_info()),
            ..wire::SendTyping::default()
        };
        self.post_ack("sendtyping", path::SEND_TYPING, request.to_json()).await
    }

    /// Says that the bot is there.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn notify_start(&self) -> Result<(), ClientError> {
        self.notify("notifystart", path::NOTIFY_START).await
    }

    /// Says that the bot leaves.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn notify_stop(&self) -> Result<(), ClientError> {
        self.notify("notifystop", path::NOTIFY_STOP).await
    }

    async fn notify(&self, name: &'static str, path: &str) -> Result<(), ClientError> {
        let request = wire::Notify {
            base_info: Some(self.shared.identity.base_info()),
            ..wire::Notify::default()
        };
        self.post_ack(name, path, request.to_json()).await
    }

    async fn post_ack(
        &self,
        name: &'static str,
        path: &str,
        json: String,
    ) -> Result<(), ClientError> {
        let call = Call { name, deadline: self.shared.deadlines.small };
        let body = self.post(call, path, json).await?;
        let ack = call.parse(&body, wire::Ack::from_slice)?;
        call.accepted(ack.ret, ack.errcode, ack.errmsg.as_deref())
    }

    async fn post(&self, call: Call, path: &str, json: String) -> Result<Vec<u8>, ClientError> {
        self.post_to(call, join(&self.shared.endpoints.api, path), json, Auth::Token).await
    }

    async fn post_to(
        &self,
        call: Call,
        url: Url,
        json: String,
        auth: Auth,
    ) -> Result<Vec<u8>, ClientError> {
        let mut request = self
            .request(Method::POST, url)
            .header(CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION_TYPE, header::ILINK_BOT_TOKEN)
            .header(header::WECHAT_UIN, random_uin());
        if let (Auth::Token, Some(token)) = (auth, &self.shared.token) {
            request = request.bearer_auth(token.expose());
        }
        call.exchange(request.body(json)).await
    }

    /// Begins a request with the headers that all of them carry.
    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        tracing::debug!(%method, url = %redact_url(url.as_str()), "request");
        let identity = &self.shared.identity;
        let request = self
            .shared
            .http
            .request(method, url)
            .header(header::APP_ID, "bot")
            .header(header::APP_CLIENT_VERSION, identity.client_version());
        match &identity.route_tag {
            Some(tag) => request.header(header::ROUTE_TAG, tag),
            None => request,
        }
    }
}

#[derive(Clone, Copy)]
enum Auth {
    None,
    Token,
}

fn random_uin() -> String {
    BASE64.encode(rand::random::<u32>().to_string())
}
