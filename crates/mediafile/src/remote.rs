//! Files of other machines: fetched from public addresses only, onto the disk,
//! and no more of them than allowed.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt as _;
use url::{Host, Url};

use crate::name;

mod data_url;
pub mod network;
mod resolver;

use self::network::Network;
use self::resolver::{PublicOnly, Unreachable};

/// Fetches files. Clones share their connections' settings.
///
/// Only `http:` and `https:` URLs without a user in them are fetched, and small
/// `data:` URLs are unpacked. A name is resolved once for each connection, and
/// connected to at an address that was found to be public; this is checked
/// again at each redirect. No proxy is used, whatever the environment says: a
/// proxy resolves names itself, and may reach what we must not.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    limits: FetchLimits,
}

/// What a fetch may cost and where it may go.
#[derive(Clone, Debug)]
pub struct FetchLimits {
    /// The longest file in bytes.
    pub max_bytes: u64,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long nothing may arrive.
    pub stall_timeout: Duration,
    /// How long all of it may take, redirects and all.
    pub total_timeout: Duration,
    /// How many redirects are followed.
    pub redirects: u32,
    /// Networks that are reached although they are not public: one's own, or
    /// `198.18.0.0/15` where a tunnel answers every name with an address of it.
    pub own_networks: Vec<Network>,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            max_bytes: 500 << 20,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(15 * 60),
            redirects: 5,
            own_networks: Vec::new(),
        }
    }
}

/// A file that was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Where it lies; removed when this is dropped, unless it was persisted.
    pub path: TempPath,
    /// Its length in bytes.
    pub len: u64,
    /// The display name that the server or the URL gives it, if one does.
    pub name: Option<String>,
    /// The media type that the server claims.
    pub mime: Option<String>,
}

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The text is not a URL.
    #[error("not a URL: {0}")]
    NotAUrl(#[from] url::ParseError),
    /// The URL is of another scheme.
    #[error("`{0}:` URLs are not fetched; use http or https")]
    Scheme(String),
    /// The URL has a user or password in it.
    #[error("the URL has a user or password in it; these are not sent")]
    Credentials,
    /// A `data:` URL that cannot be read.
    #[error("the data URL is broken")]
    BrokenData,
    /// The host is not on the public internet.
    #[error(
        "`{host}` is at {address}, which is no public address; \
         if it is yours, add its network to those that may be reached"
    )]
    NotPublic {
        /// The host as the URL names it.
        host: String,
        /// What it resolves to.
        address: IpAddr,
    },
    /// The host cannot be found.
    #[error("`{host}` cannot be found: {source}")]
    NotFound {
        /// The host as the URL names it.
        host: String,
        /// What the resolver says.
        source: std::io::Error,
    },
    /// The server sent us from place to place.
    #[error("more than {0} redirects")]
    TooManyRedirects(u32),
    /// The server sent us nowhere.
    #[error("a redirect without a readable address")]
    BadRedirect,
    /// The server refused.
    #[error("`{host}` answered {status}")]
    Status {
        /// The host that answered.
        host: String,
        /// What it answered.
        status: u16,
    },
    /// The file is longer than allowed.
    #[error("the file is longer than {} MiB", limit >> 20)]
    TooLarge {
        /// How long it may be, in bytes.
        limit: u64,
    },
    /// Nothing arrived for a while.
    #[error("nothing arrived for {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// All of it took too long.
    #[error("not there after {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    /// The exchange failed.
    #[error("the transfer failed: {0}")]
    Transport(#[source] reqwest::Error),
    /// The file could not be stored.
    #[error("the file cannot be stored: {0}")]
    Store(#[from] std::io::Error),
}

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct FetcherSetupError(#[source] reqwest::Error);

impl Fetcher {
    /// Makes a fetcher, with the certificate roots that are compiled in beside
    /// the machine's own.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new(limits: FetchLimits) -> Result<Self, FetcherSetupError> {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .filter_map(|der| reqwest::Certificate::from_der(der).ok());
        let client = reqwest::Client::builder()
            .http1_only()
            .tls_certs_merge(roots)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(limits.connect_timeout)
            .pool_max_idle_per_host(0)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(PublicOnly { own_networks: limits.own_networks.clone() })
            .build()
            .map_err(FetcherSetupError)?;
        Ok(Self { client, limits })
    }

    /// Fetches a URL into a new file in a folder that exists.
    ///
    /// A length that is announced is checked before the first byte of the body is
    /// read, the real one while it is written. Cancel safe: when the future is
    /// dropped, the connection is closed and the file removed. No retries.
    ///
    /// # Errors
    ///
    /// See [`FetchError`]; the URL itself, which may be a secret, is in none.
    pub async fn fetch(&self, url: &str, into_dir: &Path) -> Result<Fetched, FetchError> {
        let total = self.limits.total_timeout;
        let url = Url::parse(url.trim())?;
        if url.scheme() == "data" {
            return data_url::unpack(&url, into_dir, self.limits.max_bytes).await;
        }
        let fetched = tokio::time::timeout(total, self.follow(url, into_dir)).await;
        fetched.map_err(|_| FetchError::TooSlow(total))?
    }

    async fn follow(&self, mut url: Url, into_dir: &Path) -> Result<Fetched, FetchError> {
        for _ in 0..=self.limits.redirects {
            let response = self.ask(&url).await?;
            if !is_redirect(response.status()) {
                return self.store(response, &url, into_dir).await;
            }
            let location = response.headers().get(header::LOCATION);
            let location = location.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
            url = location.and_then(|to| url.join(to).ok()).ok_or(FetchError::BadRedirect)?;
        }
        Err(FetchError::TooManyRedirects(self.limits.redirects))
    }

    /// Makes one hop.
    async fn ask(&self, url: &Url) -> Result<Response, FetchError> {
        check(url, &self.limits.own_networks)?;
        let request = self.client.get(url.clone()).header(header::ACCEPT_ENCODING, "identity");
        let answer = self.unless_stalled(request.send()).await?;
        answer.map_err(|err| failed(err, url))
    }

    async fn store(
        &self,
        mut response: Response,
        url: &Url,
        into_dir: &Path,
    ) -> Result<Fetched, FetchError> {
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(FetchError::Status { host: host(url), status });
        }
        let limit = self.limits.max_bytes;
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(FetchError::TooLarge { limit });
        }
        let (file, path) = tempfile::NamedTempFile::new_in(into_dir)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let mut len = 0;
        loop {
            let chunk = self.unless_stalled(response.chunk()).await?;
            let Some(chunk) = chunk.map_err(|err| failed(err, url))? else { break };
            len += chunk.len() as u64;
            if len > limit {
                return Err(FetchError::TooLarge { limit });
            }
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        let text = |name| response.headers().get(name).map(header::HeaderValue::as_bytes);
        let named = text(header::CONTENT_DISPOSITION).and_then(name::disposition::name_in);
        let mime = text(header::CONTENT_TYPE).and_then(mime_in);
        Ok(Fetched { path, len, name: named.or_else(|| last_segment(url)), mime })
    }

    async fn unless_stalled<T>(&self, wait: impl Future<Output = T>) -> Result<T, FetchError> {
        let stall = self.limits.stall_timeout;
        tokio::time::timeout(stall, wait).await.map_err(|_| FetchError::Stalled(stall))
    }
}

/// Refuses what must not be asked for. Names are checked when they are resolved;
/// addresses are not resolved, so they are checked here.
fn check(url: &Url, own_networks: &[Network]) -> Result<(), FetchError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Credentials);
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if network::may_reach(address, own_networks) {
        return Ok(());
    }
    Err(FetchError::NotPublic { host: host(url), address })
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Tells why an exchange failed, without the URL.
fn failed(err: reqwest::Error, url: &Url) -> FetchError {
    let mut source = std::error::Error::source(&err);
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(Unreachable::NotPublic(address)) => {
                return FetchError::NotPublic { host: host(url), address: *address };
            }
            Some(Unreachable::NotFound(err)) => {
                let source = std::io::Error::new(err.kind(), err.to_string());
                return FetchError::NotFound { host: host(url), source };
            }
            None => source = cause.source(),
        }
    }
    FetchError::Transport(err.without_url())
}

/// Reads a media type; whatever is no type is none.
fn mime_in(header: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(header).ok()?;
    let mime = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_type = mime.contains('/') && mime.bytes().all(|byte| byte.is_ascii_graphic());
    is_type.then_some(mime)
}

/// The display name that a URL gives: its last path segment, percent signs
/// decoded.
fn last_segment(url: &Url) -> Option<String> {
    let last = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    Some(name::decoded(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_last_segment() {
        for (url, name) in [
            ("https://a.example/x/%E6%8A%A5%E5%91%8A%20%231.pdf?sig=1", Some("报告 #1.pdf")),
            ("https://a.example/100%25.txt", Some("100%.txt")),
            ("https://a.example/%ff.txt", Some("%ff.txt")),
            ("https://a.example/folder/", Some("folder")),
            ("https://a.example/", None),
        ] {
            assert_eq!(last_segment(&Url::parse(url).unwrap()).as_deref(), name, "{url}");
        }
    }
}
