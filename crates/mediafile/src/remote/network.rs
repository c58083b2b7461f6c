//! Which addresses are public.
//!
//! From the IANA registries of special-purpose IPv4 and IPv6 addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, as in `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    n_bits: u8,
}

/// A text is not a network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network; write it like 10.0.0.0/8 or fd00::/8")]
pub struct NotANetwork(String);

impl Network {
    /// Whether an address lies in this range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = u32::from(ours) ^ u32::from(theirs);
                differ.leading_zeros() >= u32::from(self.n_bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = u128::from(ours) ^ u128::from(theirs);
                differ.leading_zeros() >= u32::from(self.n_bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    /// Reads `address/bits`; an address alone is a network of one.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, n_bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let n_bits = n_bits.map_or(Ok(most), |bits| bits.trim().parse()).map_err(|_| wrong())?;
        if n_bits > most {
            return Err(wrong());
        }
        Ok(Self { address, n_bits })
    }
}

/// Whether an address is public, or in one of the networks.
#[must_use]
pub fn may_reach(address: IpAddr, own_networks: &[Network]) -> bool {
    let address = address.to_canonical();
    own_networks.iter().any(|network| network.contains(address)) || is_public(address)
}

/// Whether an address is one of a host on the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let is_special = || SPECIAL.iter().any(|network| network.contains(address));
    match address {
        IpAddr::V4(_) => !is_special(),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => GLOBAL_V6.contains(address) && !is_special(),
        },
    }
}

/// The IPv4 host behind a mapped address, or behind the well-known prefix of
/// NAT64, under which networks without IPv4 reach it.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., high, low] = v6.segments();
    let behind_nat64 = v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    let v4 = || Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    v6.to_ipv4_mapped().or_else(|| behind_nat64.then(v4))
}

/// All of IPv6 that has been given out; loopback, link-local, unique local and
/// multicast lie outside.
const GLOBAL_V6: Network = v6([0x2000, 0], 3);

const SPECIAL: [Network; 21] = [
    v4([0, 0, 0, 0], 8),        // this host
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // carrier-grade NAT
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // public by its number, the host's side of Azure
    v4([169, 254, 0, 0], 16),   // link-local, metadata of clouds
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // protocol assignments
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 31, 196, 0], 24),  // AS112
    v4([192, 88, 99, 0], 24),   // 6to4 relays
    v4([192, 168, 0, 0], 16),   // private
    v4([198, 18, 0, 0], 15),    // benchmarks
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 4),      // multicast
    v4([240, 0, 0, 0], 4),      // reserved, broadcast
    v6([0x2001, 0], 23),        // protocol assignments, Teredo
    v6([0x2001, 0xdb8], 32),    // documentation
    v6([0x2002, 0], 16),        // 6to4, which wraps any IPv4 address
    v6([0x3fff, 0], 20),        // documentation
];

const fn v4([a, b, c, d]: [u8; 4], n_bits: u8) -> Network {
    Network { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), n_bits }
}

const fn v6([a, b]: [u16; 2], n_bits: u8) -> Network {
    Network { address: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), n_bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let public = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
            128.0.0.0 168.63.129.15 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 \
            192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:1.1.1.1 \
            64:ff9b::1.1.1.1 2001:200::1 2400:3200::1 2606:4700:4700::1111 2a00:1450::1";
        for address in public.split_whitespace() {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        let others = "0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.0 100.100.100.200 \
            100.127.255.255 127.0.0.1 127.255.255.255 168.63.129.16 169.254.169.254 \
            172.16.0.0 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 \
            198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 \
            240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 \
            64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::1.1.1.1 100::1 2001::1 \
            2001:10::1 2001:db8::1 2002:7f00:1:: 2002:101:101:: 3fff::1 4000::1 5f00::1 \
            fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";
        for address in others.split_whitespace() {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let network = |text: &str| text.parse::<Network>();
        let holds =
            |text: &str, address: &str| network(text).unwrap().contains(address.parse().unwrap());
        assert!(holds("10.1.0.0/16", "10.1.255.255"));
        assert!(!holds("10.1.0.0/16", "10.2.0.0"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("fd00::/8", "fdff::1"));
        assert!(holds("127.0.0.1", "127.0.0.1"));
        assert!(!holds("127.0.0.1", "127.0.0.2"));
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0/8", "localhost"] {
            assert_eq!(network(wrong), Err(NotANetwork(wrong.to_owned())));
        }
    }

    #[test]
    fn an_own_network_is_reached_under_a_mapped_address_too() {
        let own = ["127.0.0.1".parse().unwrap()];
        for (address, may) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(may_reach(address.parse().unwrap(), &own), may, "{address}");
        }
    }
}
