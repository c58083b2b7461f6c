//! Where a login goes on, and where its account lives.

use url::Url;

use super::LoginError;

/// Returns the base at a host that the backend redirects to.
///
/// It is `https://<host>`, except when the login itself began over plain HTTP,
/// which only a backend of one's own does: then it is HTTP too, on the same port
/// unless the host names one.
pub(super) fn redirect(qr_base: &Url, host: &str) -> Option<Url> {
    let plain = qr_base.scheme() == "http";
    let scheme = if plain { "http" } else { "https" };
    let mut base = Url::parse(&format!("{scheme}://{host}")).ok()?;
    let names_only_a_host = base.path() == "/"
        && base.query().is_none()
        && base.fragment().is_none()
        && base.username().is_empty()
        && base.password().is_none()
        && !host.contains(['/', '\\', '@', '?', '#']);
    let states_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if plain && !states_port {
        base.set_port(qr_base.port()).ok()?;
    }
    names_only_a_host.then_some(base)
}

/// Returns the base that the backend gives an account.
pub(super) fn of_account(qr_base: &Url, text: String) -> Result<Url, LoginError> {
    let usable = |url: &Url| {
        url.has_host()
            && (url.scheme() == "https" || url.scheme() == "http" && qr_base.scheme() == "http")
    };
    match Url::parse(&text) {
        Ok(url) if usable(&url) => Ok(url),
        _ => Err(LoginError::BadBaseUrl { base_url: text }),
    }
}
