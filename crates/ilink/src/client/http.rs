//! The one HTTP client: pooled, proxied, capped.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, RequestBuilder, Response};
use url::Url;

use super::Cause;

/// A connection pool that any number of accounts share. Clones share it too.
///
/// Speaks HTTP/1.1 only: long polls queue behind each other on HTTP/2 as soon
/// as they outnumber the streams that an edge allows. Proxies come from the
/// environment, `NO_PROXY` included. Redirects are not followed.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
}

/// Settings of the pool.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// Whether proxies of the environment are used.
    pub system_proxy: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), system_proxy: true }
    }
}

impl Http {
    /// Builds the pool, with the certificate roots that are compiled in beside
    /// the machine's own.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpSetupError> {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .filter_map(|der| reqwest::Certificate::from_der(der).ok());
        let builder = reqwest::Client::builder()
            .http1_only()
            .tls_certs_merge(roots)
            .connect_timeout(options.connect_timeout)
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(90))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(SystemResolver);
        let builder = if options.system_proxy { builder } else { builder.no_proxy() };
        builder.build().map(|client| Self { client }).map_err(HttpSetupError)
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }
}

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct HttpSetupError(#[source] reqwest::Error);

/// How many bytes of a body are read at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyCap(pub(super) u64);

impl BodyCap {
    /// Of an API answer. A batch is some kilobytes.
    pub(super) const API: Self = Self(8 << 20);
}

/// Reads a whole body, but no more than the cap.
pub(super) async fn read_body(mut response: Response, cap: BodyCap) -> Result<Vec<u8>, Cause> {
    if response.content_length().is_some_and(|length| length > cap.0) {
        return Err(Cause::TooLarge { cap: cap.0 });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Cause::of_transport)? {
        if (body.len() + chunk.len()) as u64 > cap.0 {
            return Err(Cause::TooLarge { cap: cap.0 });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A name that did not resolve; a type of its own so that the cause of a
/// failed connection can be told.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct DnsError(std::io::Error);

/// The operating system's resolver.
struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let addresses: Vec<SocketAddr> = found.map_err(DnsError)?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
