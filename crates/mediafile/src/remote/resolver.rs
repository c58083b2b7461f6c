//! Names to addresses that may be reached, and to no others.

use std::io;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::network::{Network, may_reach};

/// The operating system's resolver, with a sieve behind it. What it returns is
/// what is connected to: a name that answers differently the next time gains
/// nothing.
pub(super) struct PublicOnly {
    pub(super) own_networks: Vec<Network>,
}

/// Why a name leads nowhere; a type of its own so that it is found again among
/// the causes of a failed exchange.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreachable {
    #[error("{0} is no public address")]
    NotPublic(IpAddr),
    #[error("{0}")]
    NotFound(io::Error),
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let own_networks = self.own_networks.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(Unreachable::NotFound)?;
            let reachable = sifted(found, &own_networks)?;
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

/// Leaves away what may not be reached.
fn sifted(
    found: impl Iterator<Item = SocketAddr>,
    own_networks: &[Network],
) -> Result<Vec<SocketAddr>, Unreachable> {
    let (reachable, others): (Vec<_>, Vec<_>) =
        found.partition(|address| may_reach(address.ip(), own_networks));
    match others.first() {
        Some(other) if reachable.is_empty() => Err(Unreachable::NotPublic(other.ip())),
        Some(_) | None => Ok(reachable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_good_and_bad_addresses_leads_to_the_good_ones() {
        let sift = |addresses: &[&str]| {
            let found =
                addresses.iter().map(|address| (address.parse::<IpAddr>().unwrap(), 0).into());
            sifted(found, &["10.1.0.0/16".parse().unwrap()])
                .map(|left| left.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            sift(&["127.0.0.1", "1.1.1.1", "10.1.2.3", "::1"]).unwrap(),
            ["1.1.1.1", "10.1.2.3"]
        );
        assert!(matches!(
            sift(&["10.2.0.1", "::1"]),
            Err(Unreachable::NotPublic(address)) if address.to_string() == "10.2.0.1"
        ));
    }
}
