//! Values that several sections share.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Deref;

use crate::diag::Place;
/// Where a secret is, never what it is. Parsing, planning offline and the lab never look.
pub use crate::resource::SecretSource as SecretRef;

/// A value and the place in the spec that set it.
///
/// Where a default applies, the place is the table that could hold the key, with an empty
/// span. Where a group or `[projects.defaults]` set it, the place is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sp<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub place: Place,
}

impl<T> Sp<T> {
    /// Whether the spec says it, and no default or pin stands in.
    pub fn is_written(&self) -> bool {
        self.place.span.0 < self.place.span.1
    }

    /// Keeps the place and turns the value into another.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Sp<U> {
        Sp { value: turn(self.value), place: self.place }
    }
}

impl<T> Deref for Sp<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display> fmt::Display for Sp<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// An IPv4 network: the network address (no host bits) and the prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet {
    /// The network address.
    pub network: Ipv4Addr,
    /// 0 to 32.
    pub prefix: u8,
}

impl Subnet {
    /// Whether the address is inside, network and broadcast address included.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == u32::from(self.network)
    }

    /// Whether the two share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.network) || other.contains(self.network)
    }

    /// The last address: the broadcast address of networks up to /30.
    pub fn last(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network) | !self.mask())
    }

    /// The netmask as bits.
    pub fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

/// Thousandths of a CPU, as in Kubernetes' `500m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milli(pub u64);

/// A Kubernetes quantity: whole CPUs without a suffix, else `500m`.
impl fmt::Display for Milli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}
