//! Where the backend is.

use url::Url;

/// Tencent's own API host.
pub const DEFAULT_API: &str = "https://ilinkai.weixin.qq.com";
/// Tencent's own CDN.
pub const DEFAULT_CDN: &str = "https://novac2c.cdn.weixin.qq.com/c2c";
/// Where the backend is. Every address is an option, so that a self-hosted
/// backend can be logged in to and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Base of the API calls of one account.
    pub api: Url,
    /// Base of the QR calls, before an account has its own base.
    pub qr: Url,
    /// Base of the CDN.
    pub cdn: Url,
}

impl Endpoints {
    /// Uses one backend for the API and for QR login, and Tencent's CDN.
    #[must_use]
    pub fn at(api: Url) -> Self {
        Self { qr: api.clone(), api, cdn: parse_default(DEFAULT_CDN) }
    }

    /// Replaces the CDN.
    #[must_use]
    pub fn with_cdn(self, cdn: Url) -> Self {
        Self { cdn, ..self }
    }
}

impl Default for Endpoints {
    /// Tencent's servers.
    fn default() -> Self {
        Self::at(parse_default(DEFAULT_API))
    }
}

fn parse_default(url: &'static str) -> Url {
    Url::parse(url).expect("the default addresses are valid")
}
