//! The one HTTP client: pooled, proxied, capped.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::{Method, RequestBuilder, Response};
use url::Url;

use super::Cause;
use super::addresses::Addresses;
pub use super::addresses::Resolver;

/// A connection pool that any number of accounts share. Clones share it too.
///
/// Speaks HTTP/1.1 only: long polls queue behind each other on HTTP/2 as soon
/// as they outnumber the streams that an edge allows. Proxies come from the
/// environment, `NO_PROXY` included. Redirects are not followed. All addresses
/// of a host are tried; those that failed lately last.
#[derive(Clone, Debug)]
pub struct Http {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: HttpOptions,
    addresses: Addresses,
    // Held to take or replace the client, never across an await.
    pool: Mutex<Pool>,
}

#[derive(Debug)]
struct Pool {
    generation: Generation,
    client: reqwest::Client,
}

/// Which set of connections a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u64);

/// Settings of the pool.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long a connection may take to be made. A host's addresses share it.
    pub connect_timeout: Duration,
    /// Whether proxies of the environment are used.
    pub system_proxy: bool,
    /// Who turns host names into addresses.
    pub resolver: Resolver,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            system_proxy: true,
            resolver: Resolver::system(),
        }
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
        let addresses = Addresses::new(options.resolver.clone(), options.connect_timeout);
        let client = build(options, &addresses)?;
        let pool = Mutex::new(Pool { generation: Generation(0), client });
        Ok(Self { shared: Arc::new(Shared { options: options.clone(), addresses, pool }) })
    }

    /// Returns which connections a request that begins now would use.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.shared.pool.lock().generation
    }

    /// Makes sure that no later request uses a connection of this generation:
    /// after the machine slept, or when backends have fallen silent.
    ///
    /// Requests in flight are left alone. Does nothing when the connections
    /// have been replaced since, so that a thousand accounts that notice the
    /// same silence replace them once.
    pub fn renew(&self, seen: Generation) {
        let mut pool = self.shared.pool.lock();
        if pool.generation != seen {
            return;
        }
        match build(&self.shared.options, &self.shared.addresses) {
            Ok(client) => {
                *pool = Pool { generation: Generation(seen.0 + 1), client };
                self.shared.addresses.distrust_used();
            }
            Err(err) => tracing::warn!(error = %err, "connections not replaced"),
        }
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = self.shared.pool.lock().client.clone();
        client.request(method, url)
    }
}

fn build(options: &HttpOptions, addresses: &Addresses) -> Result<reqwest::Client, HttpSetupError> {
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
        // Who asks decides whether to ask again, so no copy is kept for that.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .dns_resolver(addresses.clone())
        .connector_layer(addresses.clone());
    let builder = if options.system_proxy { builder } else { builder.no_proxy() };
    builder.build().map_err(HttpSetupError)
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
