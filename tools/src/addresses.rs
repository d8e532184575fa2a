//! Addresses that a server on the network may not have, unless the operator says so.
//!
//! From the IANA registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// It answers with credentials of the machine. Never allowed.
    Metadata,
    /// It is within this machine or its network, or reaches no single machine; what it is.
    Special(&'static str),
}

/// Why `address` may not be connected to, if it may not. With `allow_private`, only what gives out credentials is forbidden.
#[must_use]
pub fn forbidden(address: IpAddr, allow_private: bool) -> Option<Forbidden> {
    let found = match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    };
    found.filter(|found| !allow_private || *found == Forbidden::Metadata)
}

/// Whether the IPv4 `address` is in `network`/`bits`.
fn within_v4(address: Ipv4Addr, network: [u8; 4], bits: u32) -> bool {
    (address.to_bits() ^ u32::from_be_bytes(network)) >> (32 - bits) == 0
}

/// Whether the IPv6 `address` is in `network`/`bits`.
fn within_v6(address: Ipv6Addr, network: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - bits) == 0
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Forbidden> {
    // EC2's metadata and ECS's credentials; link-local as a whole is below.
    let metadata: [([u8; 4], u32); 2] = [([169, 254, 169, 254], 32), ([169, 254, 170, 2], 23)];
    if metadata.iter().any(|(network, bits)| within_v4(address, *network, *bits)) {
        return Some(Forbidden::Metadata);
    }
    const SPECIAL: [([u8; 4], u32, &str); 16] = [
        ([0, 0, 0, 0], 8, "this network"),
        ([10, 0, 0, 0], 8, "private"),
        ([100, 64, 0, 0], 10, "shared by a provider"),
        ([127, 0, 0, 0], 8, "loopback"),
        ([169, 254, 0, 0], 16, "link-local"),
        ([172, 16, 0, 0], 12, "private"),
        ([192, 0, 0, 0], 24, "of protocols"),
        ([192, 0, 2, 0], 24, "documentation"),
        ([192, 31, 196, 0], 24, "of protocols"),
        ([192, 52, 193, 0], 24, "of protocols"),
        ([192, 88, 99, 0], 24, "a relay"),
        ([192, 168, 0, 0], 16, "private"),
        ([192, 175, 48, 0], 24, "of protocols"),
        ([198, 18, 0, 0], 15, "benchmarking"),
        ([198, 51, 100, 0], 24, "documentation"),
        ([203, 0, 113, 0], 24, "documentation"),
    ];
    if let Some((_, _, what)) = SPECIAL.iter().find(|(network, bits, _)| within_v4(address, *network, *bits)) {
        return Some(Forbidden::Special(what));
    }
    match address.octets()[0] {
        224..=239 => Some(Forbidden::Special("multicast")),
        240.. => Some(Forbidden::Special("reserved")),
        _ => None,
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Forbidden> {
    if address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) {
        return Some(Forbidden::Metadata);
    }
    if let Some(inner) = embedded_v4(address) {
        // Where the way into IPv4 leads to credentials it is closed for good, elsewhere unless private addresses are allowed.
        return Some(match forbidden_v4(inner) {
            Some(Forbidden::Metadata) => Forbidden::Metadata,
            Some(Forbidden::Special(what)) => Forbidden::Special(what),
            None => Forbidden::Special("an IPv4 address within IPv6"),
        });
    }
    let special: [(Ipv6Addr, u32, &str); 7] = [
        (Ipv6Addr::LOCALHOST, 128, "loopback"),
        (Ipv6Addr::UNSPECIFIED, 128, "no address"),
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
        (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
        (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    ];
    if let Some((_, _, what)) = special.iter().find(|(network, bits, _)| within_v6(address, *network, *bits)) {
        return Some(Forbidden::Special(what));
    }
    // Of the protocols: 2001::/23 with Teredo, ORCHID, benchmarking. The other documentation: 3fff::/20.
    let protocols = within_v6(address, Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23);
    let documentation = within_v6(address, Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20);
    // Global unicast is 2000::/3 only: what is outside is discarded, translated or reserved.
    let is_global = within_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    (protocols || documentation || !is_global).then_some(Forbidden::Special("reserved"))
}

/// The IPv4 address that packets to an IPv6 address reach in the end: mapped, compatible, NAT64 (RFC 6052, RFC 8215), 6to4, Teredo.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let last = join(segments[6], segments[7]);
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => Some(last),
        [0x64, 0xff9b, 0 | 1, _, _, _, _, _] => Some(last),
        [0x2002, high, low, _, _, _, _, _] => Some(join(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(join(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_forbidden(address: &str, allow_private: bool) -> bool {
        forbidden(address.parse().unwrap(), allow_private).is_some()
    }

    #[test]
    fn addresses_that_are_not_public_are_forbidden_unless_allowed() {
        let addresses = [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2001::1",
            "2001:20::1",
            "2001:2::1",
            "4000::1",
            "5f00::1",
        ];
        for address in addresses {
            assert!(is_forbidden(address, false), "{address}");
            assert!(!is_forbidden(address, true), "{address} if private ones are allowed");
        }
    }

    #[test]
    fn what_gives_out_credentials_is_never_allowed() {
        let addresses = [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.171.255",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "2001:0:0:0:0:0:5601:5601",
        ];
        for address in addresses {
            assert_eq!(forbidden(address.parse().unwrap(), true), Some(Forbidden::Metadata), "{address}");
        }
    }

    #[test]
    fn public_addresses_and_neighbours_of_special_ones_are_allowed() {
        let addresses = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "2003::1",
        ];
        for address in addresses {
            assert!(!is_forbidden(address, false), "{address}");
        }
    }
}
