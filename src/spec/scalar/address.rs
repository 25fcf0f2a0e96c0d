//! IPv4 addresses, ranges of them, and networks.

use std::net::Ipv4Addr;

use super::Form;
use crate::spec::Subnet;

/// A range of more addresses is a slip of the finger.
const RANGE_MAX: u32 = 4096;

/// `10.20.0.11`
pub(crate) static ADDRESS: Form = Form {
    name: "an IPv4 address",
    help: "write four numbers from 0 to 255: \"10.20.0.11\"",
    example: "10.20.0.11",
    pattern: r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
    check: |text| parse_address(text).map(drop),
};

/// `10.20.0.11-13`
pub(crate) static RANGE: Form = Form {
    name: "an address or a range of addresses",
    help: "write \"10.20.0.11\", \"10.20.0.11-13\" or \"10.20.0.11-10.20.0.13\"",
    example: "10.20.0.11-13",
    pattern: r"^[0-9]{1,3}(\.[0-9]{1,3}){3}( ?- ?[0-9]{1,3}((\.[0-9]{1,3}){3})?)?$",
    check: |text| parse_range(text).map(drop),
};

/// `10.20.0.0/24`
pub(crate) static CIDR: Form = Form {
    name: "an IPv4 network",
    help: "write the network address and the prefix length: \"10.20.0.0/24\"; \
        one host is \"10.20.0.5/32\"",
    example: "10.20.0.0/24",
    pattern: r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$",
    check: |text| parse_cidr(text).map(drop),
};

pub(crate) fn parse_address(text: &str) -> Result<Ipv4Addr, &'static str> {
    text.parse().map_err(|_| {
        if text.contains(':') { "IPv6 is not supported" } else { "not an IPv4 address" }
    })
}

/// First and last address, both included.
pub(crate) fn parse_range(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), &'static str> {
    let Some((first, last)) = text.split_once('-') else {
        return parse_address(text).map(|address| (address, address));
    };
    let first = parse_address(first.trim_end())?;
    let last = last.trim_start();
    let last = if last.contains('.') {
        parse_address(last)?
    } else {
        let [a, b, c, _] = first.octets();
        let end = last.parse().map_err(|_| "the end is not a number from 0 to 255")?;
        Ipv4Addr::new(a, b, c, end)
    };
    match u32::from(last).checked_sub(u32::from(first)) {
        None => Err("the end is before the start"),
        Some(more) if more >= RANGE_MAX => Err("more than 4096 addresses"),
        Some(_) => Ok((first, last)),
    }
}

pub(crate) fn parse_cidr(text: &str) -> Result<Subnet, &'static str> {
    let (address, prefix) = text.split_once('/').ok_or("the prefix length is missing")?;
    let network = parse_address(address)?;
    let valid = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = prefix
        .parse()
        .ok()
        .filter(|prefix| valid && *prefix <= 32)
        .ok_or("the prefix length is not from 0 to 32")?;
    let subnet = Subnet { network, prefix };
    if u32::from(network) & !subnet.mask() == 0 {
        Ok(subnet)
    } else {
        Err("bits are set behind the prefix")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn ranges_have_a_short_and_a_long_form() {
        let range = |a: &str, b: &str| Ok((a.parse().unwrap(), b.parse().unwrap()));
        assert_eq!(parse_range("10.0.0.1-3"), range("10.0.0.1", "10.0.0.3"));
        assert_eq!(parse_range("10.0.0.9 - 10.0.1.2"), range("10.0.0.9", "10.0.1.2"));
        check(
            &RANGE,
            &["10.0.0.1", "10.0.0.1-10.0.15.255"],
            &["10.0.0.3-1", "10.0.0.1-256", "10.0.0.1-", "0.0.0.0-255.255.255.255", "", "a-b"],
        );
    }

    #[test]
    fn networks_have_no_host_bits() {
        check(
            &CIDR,
            &["0.0.0.0/0", "10.20.0.5/32", "10.0.0.0/8"],
            &["10.20.0.5/24", "10.20.0.0", "10.20.0.0/33", "10.20.0.0/+8", "fd00::/8", "/"],
        );
        check(&ADDRESS, &["0.0.0.0"], &["10.0.0", "10.0.0.256", "::1", "10.0.0.01"]);
    }
}
